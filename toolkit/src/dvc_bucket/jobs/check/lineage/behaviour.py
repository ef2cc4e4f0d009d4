"""What the commands of stages did that `dvc.yaml` does not tell of."""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from dvc_bucket.base import project_settings
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check.findings import Finding
from dvc_bucket.jobs.check.plan import Plan, meta_of
from dvc_bucket.jobs.check.rebuild import Command, Run

#: What leads to the store and to what DVC tracks. A stage that may use the network reads it in
#: order to stream; one that may not has no business with it.
CONNECTION = (".dvc", ".dvcignore", ".env", ".env.example", ".git", ".gitignore", "dvc.yaml")
POINTERS = ("*.dvc", "dvc.lock")

#: Where Python keeps what it made of a module.
BYTECODE = "__pycache__"


def of_commands(
    known: Plan, commands: Sequence[Command], run: Run, project: Project
) -> Iterator[Finding]:
    """What the commands of stages did that they do not declare."""
    for stage in known.stages.values():
        own = [command for command in commands if command.stage == stage.name]
        if own:
            yield from _edited(stage, own)
            yield from _not_made(stage, own)
            yield from _read(known, stage, own, run, project)
            yield from _connected(stage, own)


def _edited(stage: Stage, commands: Sequence[Command]) -> Iterator[Finding]:
    before, after = commands[0].before, commands[-1].after
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            what = "was changed"
            if path not in after:
                what = "was removed"
            elif path not in before:
                what = "appeared"
            text = (
                f"{path}, on which {stage.name} depends, {what} while it ran: dvc.lock records "
                "what it was at the end, which may not be what the stage read."
            )
            yield Finding("edited", stage.name, path, text)


def _not_made(stage: Stage, commands: Sequence[Command]) -> Iterator[Finding]:
    for path, before in commands[0].outs_before.items():
        after = commands[-1].outs_after.get(path)
        if before and before == after:
            text = (
                f"{path} is an output of {stage.name}, which did not write it: it was there before."
            )
            yield Finding("not made", stage.name, path, text)
        elif not after:
            text = f"{path}, an output of {stage.name}, was not made by it."
            yield Finding("not made", stage.name, path, text)


def _read(
    known: Plan, stage: Stage, commands: Sequence[Command], run: Run, project: Project
) -> Iterator[Finding]:
    written = {path for command in commands if command.seen for path in command.seen.written}
    for path in sorted(undeclared(stage, commands, run.clone)):
        maker = known.maker(path)
        if path.endswith(".py"):
            text = f"{stage.name} imports or runs {path}, which is not among its deps."
            yield Finding("undeclared import", stage.name, path, text)
        elif path.split("/")[0] == ".git":
            text = f"{stage.name} reads the state of the git repository ({path})."
            yield Finding("undeclared file", stage.name, path, text)
        else:
            whose = f", an output of {maker}," if maker else ""
            what = "writes to" if str(run.clone.root / path) in written else "reads"
            text = f"{stage.name} {what} {path}{whose} and does not declare it."
            yield Finding("undeclared file", stage.name, path, text)
    for path in sorted(_of_original(commands, run, project)):
        text = f"{stage.name} reads {path}, a file of the clone that the check was started in."
        yield Finding("undeclared file", stage.name, path, text)


def undeclared(stage: Stage, commands: Iterable[Command], clone: Project) -> set[str]:
    """Files of the project, there before a command, that it read and does not declare."""
    root = str(clone.root)
    declared = [*(dep.path for dep in stage.deps), *(out.path for out in stage.outs), *stage.params]
    packages = project_settings.of(clone).packages
    found = set()
    for command in commands:
        if command.seen is None:
            continue
        for absolute in command.seen.read | command.seen.written:
            if not absolute.startswith(f"{root}/"):
                continue
            path = _source(absolute[len(root) + 1 :])
            there = path in command.files or path.startswith((".git/", ".dvc/"))
            if not there or _is_allowed(path, stage, packages):
                continue
            if not any(path == one or path.startswith(f"{one}/") for one in declared):
                found.add(_shortened(path))
    return found


def _is_allowed(path: str, stage: Stage, packages: Iterable[str]) -> bool:
    """Whether a stage need not declare that it reads a file."""
    first = path.split("/")[0]
    if first == ".venv" or any(path.startswith(f"{folder}/") for folder in packages):
        return True  # packages, which the lock file names
    meta = meta_of(stage)
    if any(fnmatchcase(path, one) or path.startswith(f"{one}/") for one in meta.reads):
        return True
    leads = first in CONNECTION or any(fnmatchcase(path, one) for one in POINTERS)
    return meta.network and leads


def _source(path: str) -> str:
    """The module that a file of bytecode was made of; any other path as it is."""
    parts = PurePosixPath(path)
    if parts.parent.name != BYTECODE or parts.suffix != ".pyc":
        return path
    return (parts.parent.parent / f"{parts.name.split('.')[0]}.py").as_posix()


def _shortened(path: str) -> str:
    """One name for all of git's own files, and one for DVC's."""
    first = path.split("/")[0]
    return f"{first}/" if (first in {".git", ".dvc"} and "tmp" in path) or first == ".git" else path


def _of_original(commands: Iterable[Command], run: Run, project: Project) -> set[str]:
    """Files of the project itself, which the clone stands for, that a command opened."""
    root, packages = str(project.root.resolve()), str(Path(run.packages.python).parent.parent)
    if str(run.clone.root).startswith(f"{root}/"):
        return set()
    allowed = (f"{root}/.venv/", f"{packages}/", f"{root}/.git/")
    return {
        path
        for command in commands
        if command.seen
        for path in command.seen.read | command.seen.written
        if path.startswith(f"{root}/") and not path.startswith(allowed)
    }


def _connected(stage: Stage, commands: Iterable[Command]) -> Iterator[Finding]:
    if meta_of(stage).network:
        return
    peers = sorted(
        {one for command in commands if command.seen for one in command.seen.strangers()}
    )
    if peers:
        named = ", ".join(f"{host} port {port}" for host, port in peers[:3])
        more = f" and {len(peers) - 3} more" if len(peers) > 3 else ""
        text = (
            f"{stage.name} connects to {named}{more}. If what it gets there is pinned, say so in "
            "dvc.yaml: `meta: {network: true}`."
        )
        yield Finding("undeclared network", stage.name, "", text)
