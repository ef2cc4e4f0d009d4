"""A command as a job of Slurm, by Slurm's own commands, and what can be known of it afterwards.

The folder of a job is its whole record: a process that did not submit the job can follow it. That
needs no accounting of Slurm, as `squeue` names the working folder of each job. Libraries that
submit jobs hand over Python functions, and ask the accounting, which not every cluster has.
"""

import os
import shlex
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dvc_bucket.base.errors import StageError
from dvc_bucket.base.files import replacing
from dvc_bucket.base.programs import ran
from dvc_bucket.dvc.running import Command

#: Files of a job's folder: the script, when it began, what its command printed, its exit status.
SCRIPT, BEGUN, OUTPUT, STATUS = "script", "begun", "output", "status"

#: The file in the folder of a command that a job of a group runs: the name of that job's folder.
GROUP = "group"

#: The states in which a job has not ended (squeue(1), "JOB STATE CODES").
ALIVE = frozenset(
    {
        *("PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "STOPPED", "SIGNALING"),
        *("STAGE_OUT", "RESIZING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT"),
        *("RESV_DEL_HOLD", "POWER_UP_NODE"),
    }
)

#: Seconds between two questions to Slurm; a cluster's controller serves all its users.
QUESTION_SECONDS = 5.0

#: Seconds in which the file with the exit status reaches this machine after the job's end: a file
#: system of a network shows new files late.
LATE_SECONDS = 30.0

#: The script: signals end the command, and the script goes on to write the exit status.
TEXT = """\
#!/bin/sh
trap : HUP INT TERM USR1 USR2
{variables}: >begun
(cd {folder} && exec {command})
status=$?
echo "$status" >status.new && mv status.new status
exit "$status"
"""


class State(NamedTuple):
    """What Slurm says of a job.

    Attributes:
        number: of the job.
        name: of its state, as squeue(1) has it.
    """

    number: str
    name: str


def write(folder: Path, command: Command, submitted: Mapping[str, str]) -> None:
    """Write the script of a command.

    Args:
        folder: of the command, on a disk that all nodes share.
        command: as DVC starts it.
        submitted: the variables that its job is submitted with. The script sets the others.
    """
    variables = "".join(
        f"export {name}={shlex.quote(value)}\n"
        for name, value in command.environment.items()
        if submitted.get(name) != value
    )
    text = TEXT.format(
        variables=variables,
        folder=shlex.quote(str(command.folder)),
        command=shlex.join(command.arguments),
    )
    write_script(folder, text)


def write_script(folder: Path, text: str) -> None:
    """Write the script of a job, or of a command of it, which nobody else may read."""
    with replacing(folder / SCRIPT, 0o700) as file:
        file.write(text.encode())


def submit(folder: Path, environment: Mapping[str, str], options: Sequence[str]) -> str:
    """Submit the script of a folder; the number of the job.

    Args:
        folder: of the job, on a disk that all nodes share. It is gone if there is no job.
        environment: all variables of the job. Slurm hands them on, and keeps them out of files
            that others can read.
        options: of `sbatch`.

    Raises:
        StageError: Slurm refused it, or has no `sbatch` here.
    """
    words = ["sbatch", "--parsable", "--export=ALL", "--no-requeue", f"--output={OUTPUT}", *options]
    try:
        return _ask([*words, SCRIPT], folder, environment).split(";")[0].strip()
    except StageError:
        shutil.rmtree(folder)
        raise


def of_job(folder: Path) -> Path:
    """The folder of the job that runs the command of a folder: this one, or that of a group."""
    try:
        return folder.with_name((folder / GROUP).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return folder


def status(folder: Path) -> int | None:
    """The exit status of a job's command; None if it has not ended."""
    try:
        return int((folder / STATUS).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def cancel(number: str, signal_name: str = "") -> None:
    """End a job, or send its processes a signal; one that waits in the queue is ended.

    Raises:
        StageError: Slurm refused it.
    """
    if signal_name:
        _ask(["scancel", "--quiet", "--state=PENDING", number])
        _ask(["scancel", "--quiet", "--full", f"--signal={signal_name}", number])
    else:
        _ask(["scancel", "--quiet", number])


class Queue:
    """The user's jobs, as `squeue` lists them: one question for all who ask."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._states: dict[Path, State] = {}
        self._asked = float("-inf")

    def state(self, folder: Path, *, is_new: bool = False) -> State | None:
        """The state of the job of a folder; None if Slurm knows none any more.

        Args:
            folder: of the job.
            is_new: ask Slurm, however short ago it was asked.

        Raises:
            StageError: Slurm does not answer.
        """
        with self._asking:
            if is_new or time.monotonic() - self._asked > QUESTION_SECONDS:
                wanted = ("--noheader", "--states=all", f"--user={os.getuid()}")
                listed = _ask(["squeue", *wanted, "--format=%i|%T|%Z"])
                rows = (line.split("|", 2) for line in listed.splitlines() if line.count("|") > 1)
                self._states = {Path(place): State(number, name) for number, name, place in rows}
                self._asked = time.monotonic()
            return self._states.get(folder)

    def is_alive(self, folder: Path, *, is_new: bool = False) -> bool:
        """Whether the job of a folder has not ended, as Slurm says.

        Raises:
            StageError: Slurm does not answer.
        """
        state = self.state(folder, is_new=is_new)
        return state is not None and state.name in ALIVE


def _ask(
    words: Sequence[str], folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """Standard output of a command of Slurm.

    Raises:
        StageError: it is not there, or it failed.
    """
    try:
        done = ran(words, folder, environment)
    except FileNotFoundError:
        raise StageError(
            f"`{words[0]}` is not on the PATH. Use --slurm where jobs are submitted; on most "
            "clusters, on a login node."
        ) from None
    if done.returncode:
        raise StageError(f"`{words[0]}` failed: {' '.join(done.stderr.split())}")
    return done.stdout
