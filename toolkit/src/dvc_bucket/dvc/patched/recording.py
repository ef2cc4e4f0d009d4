"""Records a stage in `dvc.lock` in the time that the stage takes, however many others there are.

Three functions, each in the place of one of DVC's:

- `record`, of `Lockfile.dump_stages`: puts the entries of stages into the file, and renames it into
  its place. DVC truncates the file and writes it again: killed meanwhile, it leaves a file that is
  valid and lacks stages.
- `keep_ignored`, of `Stage.dump`: lets the lines in `.gitignore` stay of a stage that is recorded.
  DVC removes them if a later one fails, and `git add` takes the data in.
- `light`, of `unlocked_repo`: DVC reads its configuration, and what git ignores, again after each
  command of a stage.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from dvc_bucket.base.files import write_whole
from dvc_bucket.dvc.lock import splice
from dvc_bucket.dvc.patched.order import Order
from dvc_bucket.dvc.patched.replacement import replacement
from dvc_bucket.dvc.patched.yaml import NotYamlError, dumped, loaded

#: What DVC remembers of a repository, and the command of a stage can have changed.
REMEMBERED = ("index", "dvcignore", "dvcfs", "datafs")

#: The order of new entries, while stages run side by side.
order: Order | None = None

#: The text that this process wrote last, and its parts, by path.
_written: dict[Path, tuple[str, splice.Lock]] = {}


@replacement
def record(
    dump_stages: Callable[..., None], lockfile: Any, stages: Iterable[Any], **named: Any
) -> None:
    """DVC's `Lockfile.dump_stages` that changes the entries of these stages alone.

    A file that DVC did not write it parses and dumps, as DVC does.
    """
    from dvc import dvcfile
    from dvc.stage import serialize

    path = Path(lockfile.path).resolve()
    before = _text(path)
    entries = [serialize.to_lockfile(stage, **named) for stage in stages]
    if not entries:
        return
    try:
        after = _with_entries(path, before, entries)
    except NotYamlError:  # DVC says so
        dump_stages(lockfile, stages, **named)
        return
    if before == after:
        return
    if not before:
        dvcfile.logger.info("Generating lock file '%s'", lockfile.relpath)
    dvcfile.logger.info("Updating lock file '%s'", lockfile.relpath)
    write_whole(path, after)
    lockfile.repo.scm_context.track_file(lockfile.relpath)


@replacement
def keep_ignored(dump: Callable[..., None], stage: Any, **named: Any) -> None:
    """DVC's `Stage.dump`, after which no failure takes the stage's lines out of `.gitignore`."""
    dump(stage, **named)
    stage.repo.scm_context.ignored_paths.clear()


def light(_: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `unlocked_repo`, after which only what a command can have changed is read again."""

    def unlocked_repo(run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run)
        def unlocked(stage: Any, *arguments: Any, **named: Any) -> Any:
            stage.repo.lock.unlock()
            try:
                return run(stage, *arguments, **named)
            finally:
                stage.repo.lock.lock()
                forget(stage.repo)

        return unlocked

    return unlocked_repo


def forget(repo: Any) -> None:
    """Have DVC read again what a command can have changed."""
    if "dvcfs" in vars(repo):
        repo.dvcfs.close()
    for name in REMEMBERED:
        vars(repo).pop(name, None)


def _text(path: Path) -> str:
    """The text of a lock file; empty if there is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _with_entries(path: Path, text: str, entries: Iterable[Mapping[str, Any]]) -> str:
    """The text of a lock file with these entries.

    Raises:
        NotYamlError: it is not YAML.
    """
    written, lock = _written.get(path, (None, None))
    try:
        if lock is None or written != text:
            lock = splice.split(text)
        lock = splice.put(lock, [splice.rendered(entry) for entry in entries])
        if order:
            lock = order.entries(path, lock)
    except splice.OddError:
        content = loaded(text) or {"schema": "2.0"}
        content["stages"] = content.get("stages", {})
        for entry in entries:
            content["stages"].update(entry)
        return dumped(content)
    _written[path] = (lock.text, lock)
    return lock.text
