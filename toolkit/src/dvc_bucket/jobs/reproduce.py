"""The main job: run what is stale, push the results, and know what was done."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dvc_bucket.base.errors import ReproduceError
from dvc_bucket.base.files import readable_size
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.connected import remote_prefix, run_dvc
from dvc_bucket.dvc.lock import entries
from dvc_bucket.git.contents import ended
from dvc_bucket.transfer.single import count_objects

#: The option of `bucket repro` that is not DVC's.
LOCKED = "--locked"

#: What git lists of every `dvc.lock` of the project, tracked or new.
LOCKS = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", ":(glob)**/dvc.lock")

#: What DVC (3.67) prints of a stage that it runs, and of one whose results its run cache holds.
RUNNING = re.compile(r"Running stage '(?P<stage>[^']+)'")
CACHED = re.compile(r"Stage '(?P<stage>[^']+)' is cached")


@dataclass(frozen=True)
class Outcome:
    """What a reproduction did.

    Attributes:
        ran: names of the stages that ran, in order.
        restored: names of the stages whose results came from DVC's run cache.
        objects_pushed: objects that the remote gained.
        bytes_pushed: their size.
        remote: the remote's address.
    """

    ran: list[str]
    restored: list[str]
    objects_pushed: int
    bytes_pushed: int
    remote: str


def repro_locked(arguments: Sequence[str]) -> int:
    """Run `dvc repro` and return its exit status, if `dvc.lock` comes out as it was.

    Args:
        arguments: the words after `bucket repro`, `--locked` among them.

    Raises:
        ReproduceError: a result is not what `dvc.lock` recorded.
        LockError: a `dvc.lock` cannot be read.
        SettingsError: the connection is not set up.
    """
    project = Project.find()
    before = _recorded(project)
    words = [word for word in arguments if word != LOCKED]
    status = run_dvc(["repro", *words], project, Settings.load(project))
    if status == 0:
        _compare(before, _recorded(project))
    return status


def reproduce(
    project: Project,
    settings: Settings,
    echo: Callable[[str], None],
    arguments: Sequence[str] = (),
    *,
    locked: bool = False,
) -> Outcome:
    """Run `dvc repro` and `dvc push`; each line that DVC prints goes through `echo`.

    What was pushed is measured at the remote itself, by listing it before and after.

    Args:
        project: the clone.
        settings: the connection.
        echo: hears what DVC prints.
        arguments: the words after `dvc repro`. With `--pull`, which takes finished stages from the
            remote, also those that ran elsewhere (DVC's run cache), the push leaves them there.
        locked: push nothing unless `dvc.lock` comes out as it is.

    Raises:
        ReproduceError: one of the two commands failed, or a result is not what `dvc.lock` records.
        LockError: `dvc.lock` cannot be read.
        SettingsError: the settings and DVC's remote name different buckets.
        TransferError: the store cannot be reached.
    """
    prefix = remote_prefix(project, settings)
    objects, size = count_objects(prefix, settings=settings)
    lines: list[str] = []

    def keep(line: str) -> None:
        lines.append(line)
        echo(line)

    before = _recorded(project) if locked else {}
    run_cache = ["--run-cache"] if "--pull" in arguments else []
    for command, *words in (["repro", *arguments], ["push", *run_cache]):
        if locked and command == "push":
            _compare(before, _recorded(project))
        status = run_dvc([command, *words], project, settings, on_line=keep)
        if status != 0:
            raise ReproduceError(
                f"`dvc {command}` failed (exit status {status}); the lines above say why. "
                "What was done is kept: mend the cause and run the command again."
            )
    objects_now, size_now = count_objects(prefix, settings=settings)
    return Outcome(
        ran=[found["stage"] for line in lines if (found := RUNNING.match(line))],
        restored=[found["stage"] for line in lines if (found := CACHED.match(line))],
        objects_pushed=objects_now - objects,
        bytes_pushed=size_now - size,
        remote=f"s3://{settings.bucket_name}/{prefix}",
    )


def _recorded(project: Project) -> Mapping[str, entries.Entry]:
    """What each `dvc.lock` has of each stage, by the name that DVC gives the stage."""
    listed = ended(project.root, *LOCKS).stdout  # nothing where the project is not in git
    found: dict[str, entries.Entry] = {}
    for name in {project.dvc_lock.name, *map(os.fsdecode, filter(None, listed.split(b"\0")))}:
        try:
            text = (project.root / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        folder = name.removesuffix("dvc.lock")
        of = f"{folder}dvc.yaml:" if folder else ""
        found |= {of + stage: entry for stage, entry in entries.stages(entries.read(text)).items()}
    return found


def _compare(before: Mapping[str, entries.Entry], after: Mapping[str, entries.Entry]) -> None:
    """Refuse what is not as it was recorded.

    Raises:
        ReproduceError: naming the stages.
    """
    if changed := [name for name in after if after[name] != before.get(name)]:
        raise ReproduceError(
            f"Not as dvc.lock had it: {', '.join(changed)}. Nothing was pushed. `git diff` shows "
            "what changed: commit that, or mend its cause."
        )


def describe(outcome: Outcome, settings: Settings) -> str:
    """The outcome in a few plain lines."""
    if outcome.ran:
        lines = [f"Ran {counted(len(outcome.ran), 'stage')}: {', '.join(outcome.ran)}"]
    elif outcome.restored:
        lines = ["No stage had to run"]
    else:
        lines = ["Nothing to do: every result is up to date"]
    if outcome.restored:
        lines.append(f"From the run cache: {', '.join(outcome.restored)}")
    if outcome.objects_pushed:
        objects = counted(outcome.objects_pushed, "object")
        lines.append(
            f"Pushed {objects}, {readable_size(outcome.bytes_pushed)}, to {outcome.remote}"
        )
    else:
        lines.append(f"Nothing to push: {outcome.remote} holds it all")
    if settings.is_embedded:
        lines.append("The object store stays up; `make stop` ends it, its data stays")
    return "\n".join(lines)
