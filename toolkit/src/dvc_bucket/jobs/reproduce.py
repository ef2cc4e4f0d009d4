"""`dvc repro`, several stages at once, and the check that it leaves `dvc.lock` as it was."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence

from dvc_bucket.base import packages, project_settings
from dvc_bucket.base.errors import ReproduceError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import nothing_to_do as nothing
from dvc_bucket.dvc.connected import remote_prefix, run_dvc
from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.patched import command_line
from dvc_bucket.dvc.patched.chosen import is_plain
from dvc_bucket.dvc.snapshot import Snapshot
from dvc_bucket.git.contents import ended
from dvc_bucket.stages import commands
from dvc_bucket.stages.commands import Where

#: One stage after another, on this machine.
HERE = Where(1)

#: Lists files of the project, tracked or new, with git.
FILES = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")


def wanted_jobs(project: Project | None) -> int:
    """How many stages a project has run at once: `jobs` of `[tool.dvc-bucket]`, or 1.

    Raises:
        ProjectError: the settings of the project cannot be read.
    """
    return project_settings.of(project).jobs if project else 1


def repro_locked(
    project: Project, settings: Settings, arguments: Sequence[str], where: Where = HERE
) -> int:
    """Run `dvc repro` and return its exit status, if `dvc.lock` comes out as it was.

    Args:
        project: the clone.
        settings: the connection.
        arguments: the words after `dvc repro`.
        where: the commands of stages run.

    Raises:
        ReproduceError: a result is not what `dvc.lock` recorded.
        LockError: a `dvc.lock` cannot be read.
    """
    before = _recorded(project)
    status = run_dvc(["repro", *arguments], project, settings, commands.program(where))
    if status == 0:
        _compare(before, _recorded(project))
    return status


def reproduce(
    project: Project,
    settings: Settings,
    arguments: Sequence[str],
    *,
    locked: bool,
    where: Where = HERE,
    before: str = "",
) -> None:
    """Run `dvc repro`, then `dvc push`; both print as they always do.

    Args:
        project: the clone.
        settings: the connection.
        arguments: the words after `dvc repro`. Without arguments, DVC is not started if everything
            was up to date and nothing has changed since. Without a target, it is every dvc.yaml of
            the project. With `--pull`, which takes finished stages from the remote, also those
            that ran elsewhere (DVC's run cache), the push leaves them there.
        locked: push nothing unless `dvc.lock` comes out as it is.
        where: the commands of stages run.
        before: a command to run first, unless both have nothing to do.

    Raises:
        ReproduceError: one of the commands failed, or a result is not what `dvc.lock` records.
        LockError: `dvc.lock` cannot be read.
        SettingsError: the settings and DVC's remote name different buckets.
    """
    if dvc_config.is_of_project(project):
        remote_prefix(project, settings)
    is_in_order = _is_in_order(project, arguments)
    if is_in_order and _is_sent(project, settings):
        return
    if before:
        done = subprocess.run(shlex.split(before), cwd=project.root, check=False)
        _check(before, done.returncode)
    if not is_in_order:
        _repro(project, settings, arguments, where, locked=locked)
    words = ["push", *(["--run-cache"] if "--pull" in arguments else [])]
    _check("dvc push", run_dvc(words, project, settings, ["dvc_bucket.dvc.reproduced"]))


def _is_sent(project: Project, settings: Settings) -> bool:
    """Say that no stage has anything to run, and that nothing has to be sent, if so."""
    print(nothing.IN_ORDER, flush=True)  # before other programs print
    if is_sent := nothing.is_sent(project, settings):
        print(nothing.UP_TO_DATE)
    return is_sent


def _is_in_order(project: Project, arguments: Sequence[str]) -> bool:
    """Whether it is known without DVC that `dvc repro` has nothing to run."""
    return (
        not arguments
        and not is_plain()
        and nothing.is_done(project, "status")
        and not packages.different(project)
    )


def _repro(
    project: Project, settings: Settings, arguments: Sequence[str], where: Where, *, locked: bool
) -> None:
    arguments = [*arguments, *_all_flows(project, arguments)]
    if locked:
        _check("dvc repro", repro_locked(project, settings, arguments, where))
    else:
        words = ["repro", *arguments]
        _check("dvc repro", run_dvc(words, project, settings, commands.program(where)))


def _all_flows(project: Project, arguments: Sequence[str]) -> list[str]:
    """Every dvc.yaml as a target, if no target is named and there are several.

    DVC's own `--all-pipelines` takes data of `dvc add`, too, and fails if that is not here.
    """
    listed = ended(project.root, *FILES, ":(glob)**/dvc.yaml").stdout.split(b"\0")
    if not set(filter(None, listed)) - {b"dvc.yaml"}:
        return []
    options = command_line.parsed(["repro", *arguments])
    if options is None or options.targets or options.all_pipelines:
        return []
    flows = sorted({stage.file for stage in Snapshot.at(project).stages})
    return [os.path.relpath(project.root / flow) for flow in flows]


def _check(command: str, status: int) -> None:
    """Refuse to go on after a command that failed.

    Raises:
        ReproduceError: it did.
    """
    if status != 0:
        raise ReproduceError(
            f"`{command}` failed (exit status {status}); the lines above say why. Completed work "
            "is kept. Fix the cause and run the command again."
        )


def _recorded(project: Project) -> Mapping[str, entries.Entry]:
    """The entry of each stage in each `dvc.lock`, by the name that DVC gives the stage."""
    listed = ended(
        project.root, *FILES, ":(glob)**/dvc.lock"
    ).stdout  # nothing where the project is not in git
    noted: dict[str, entries.Entry] = {}
    for name in {project.dvc_lock.name, *map(os.fsdecode, filter(None, listed.split(b"\0")))}:
        try:
            text = (project.root / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        folder = name.removesuffix("dvc.lock")
        of = f"{folder}dvc.yaml:" if folder else ""
        noted |= {of + stage: entry for stage, entry in entries.stages(entries.read(text)).items()}
    return noted


def _compare(before: Mapping[str, entries.Entry], after: Mapping[str, entries.Entry]) -> None:
    """Refuse stages whose entries changed.

    Raises:
        ReproduceError: naming the stages.
    """
    names = dict.fromkeys([*after, *before])
    if changed := [name for name in names if after.get(name) != before.get(name)]:
        raise ReproduceError(
            f"Results differ from dvc.lock: {', '.join(changed)}. Nothing was pushed. `git diff` "
            "shows the changes: commit them, or fix their cause."
        )
