"""Small stages that share jobs of Slurm: those whose `meta` names the same `group`.

The job of a group runs one command after another, as they are added to a list in its folder. Each
command has a folder like that of a job of its own, which tells what became of it. So DVC decides
before each command whether it runs, and records its results before a later stage begins.

The list exists before the job does: when a file on a network file system is opened, what was
appended to it is there, while a new file can be seen late (nfs(5), "close-to-open").
"""

import secrets
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.running import Command
from dvc_bucket.stages.commands import slurm_jobs

#: What the names of the folders of these jobs begin with.
PREFIX = "group-"

#: The file in such a folder with the names of folders of commands, a line each. The job renames it
#: before it ends, so that nobody adds a command to it.
LIST, CLOSED = "commands", "closed"

#: Seconds that a job waits for the next command.
IDLE_SECONDS = 60

#: The script. After a signal it begins no command; that which runs hears the signal, too. Where the
#: list is gone, the run that added commands has ended.
TEXT = f"""\
#!/bin/sh
trap : HUP USR1 USR2
trap 'ending=1' INT TERM
list={LIST} number=1 idle=0 ending=
while test -z "$ending"; do
  command=$(sed -n "${{number}}p" "$list" 2>/dev/null)
  if test -n "$command"; then
    : >{slurm_jobs.BEGUN}
    (cd "../$command" && exec sh ./{slurm_jobs.SCRIPT} >{slurm_jobs.OUTPUT} 2>&1)
    number=$((number + 1)) idle=0
  elif test ! -e {LIST}; then
    exit 0
  elif test "$idle" -lt {IDLE_SECONDS}; then
    sleep 1
    idle=$((idle + 1))
  else
    mv {LIST} {CLOSED}
    list={CLOSED}
  fi
done
"""


class _Job(NamedTuple):
    """A job that takes commands.

    Attributes:
        folder: of the job.
        number: that Slurm gave it.
        environment: that it was submitted with.
    """

    folder: Path
    number: str
    environment: Mapping[str, str]


class Groups:
    """The groups of a run.

    Args:
        folder: for the folders of jobs and of commands.
        options: of `sbatch`, for all jobs.
    """

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        self._folder, self._options = folder, options
        self._needs: dict[str, tuple[str, Sequence[str]]] = {}
        self._jobs: dict[str, _Job] = {}
        self._own: set[Path] = set()
        self._adding = threading.Lock()

    def check(self, stage: str, meta: Any, resources: Sequence[str]) -> None:
        """Make sure that the stages of a group can share a job.

        Args:
            stage: its name.
            meta: of the stage.
            resources: options of `sbatch` for what it needs.

        Raises:
            ProjectError: the name of the group is no text, or another stage of it needs other
                resources.
        """
        if not (group := name(stage, meta)):
            return
        first, needed = self._needs.setdefault(group, (stage, resources))
        if needed != resources:
            raise ProjectError(
                f"dvc.yaml: stages {first} and {stage} are both in the group {group}, which is one "
                "job, but their `meta` differs in cpus, memory or sbatch. Set the same values, or "
                "use two groups."
            )

    def add(self, group: str, command: Command, folder: Path) -> str:
        """Have the job of a group run a command; the number of the job.

        Args:
            group: its name.
            command: as DVC starts it.
            folder: of the command.

        Raises:
            StageError: Slurm refused the job.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._adding:
            if (job := self._jobs.get(group)) and _appended(job, command, folder):
                return job.number
            return self._begun(group, command, folder).number

    def again(self, group: str, command: Command, folder: Path) -> str:
        """Add a command again whose job ended before its turn; the number of the new job.

        Nothing is added if the command had begun, or if the job had begun none: then the job itself
        fails, and the next one would, too.

        Raises:
            StageError: Slurm refused the job.
        """
        job = slurm_jobs.of_job(folder)
        has_begun = (folder / slurm_jobs.BEGUN).exists()
        if not group or job == folder or has_begun or not (job / slurm_jobs.BEGUN).exists():
            return ""
        with self._adding:
            if (current := self._jobs.get(group)) and current.folder == job:
                del self._jobs[group]
        return self.add(group, command, folder)

    def end(self) -> None:
        """End the jobs of this run, and those of lost runs that have no command any more."""
        folders = {*self._folder.glob("*")}
        jobs = {folder for folder in folders if folder.name.startswith(PREFIX)}
        for job in jobs - {slurm_jobs.of_job(folder) for folder in folders - jobs} - self._own:
            with suppress(FileNotFoundError):  # another run has removed it, or has just begun
                if time.time() - job.stat().st_mtime > slurm_jobs.LATE_SECONDS:
                    shutil.rmtree(job)
        for job in self._own:
            shutil.rmtree(job, ignore_errors=True)

    def _begun(self, group: str, command: Command, folder: Path) -> _Job:
        """Submit a job whose first command is this one."""
        place = self._folder / f"{PREFIX}{secrets.token_hex(8)}"
        place.mkdir(mode=0o700)
        self._own.add(place)
        slurm_jobs.write_script(place, TEXT)
        (place / LIST).touch(mode=0o600)
        job = _Job(place, "", command.environment)
        _appended(job, command, folder)
        _, resources = self._needs[group]
        options = [f"--job-name={group}", *resources, *self._options]
        job = job._replace(number=slurm_jobs.submit(place, command.environment, options))
        self._jobs[group] = job
        return job


def name(stage: str, meta: Any) -> str:
    """The group of a stage, as its `meta` says: `{group: NAME}`; empty if it is in none.

    Raises:
        ProjectError: it is no text.
    """
    group = meta.get("group", "") if isinstance(meta, Mapping) else ""
    if not isinstance(group, str):
        raise ProjectError(
            f"dvc.yaml, stage {stage}: `meta: group` is {group!r}. Write a name, as in "
            "`group: small`."
        )
    return group


def _appended(job: _Job, command: Command, folder: Path) -> bool:
    """Add a command to the list of a job; False if the job takes none any more."""
    slurm_jobs.write(folder, command, job.environment)
    (folder / slurm_jobs.GROUP).write_text(job.folder.name, encoding="ascii")
    try:
        with (job.folder / LIST).open("r+", encoding="ascii") as file:
            file.seek(0, 2)
            file.write(f"{folder.name}\n")
    except FileNotFoundError:
        return False
    return True
