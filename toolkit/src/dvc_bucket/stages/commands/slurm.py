"""Runs each command of a stage as a job of Slurm, or in that of its group, and follows it.

The process that follows keeps DVC's records; a job runs the command alone. If the
process dies, its jobs continue, and the next run follows them.
"""

import math
import shlex
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dvc_bucket.base.errors import ProjectError, StageError
from dvc_bucket.dvc.running import Command
from dvc_bucket.stages.commands import needs, slurm_groups, slurm_jobs
from dvc_bucket.stages.commands.local import PIECE
from dvc_bucket.stages.commands.shown import Shown

#: Jobs that are submitted at once at most, unless a person says otherwise.
JOBS = 100

#: Seconds between two looks at the files of a job.
LOOK_SECONDS = 0.5


class SlurmRunner(Shown):
    """Runs commands as jobs of Slurm.

    Args:
        jobs: how many are submitted at once at most.
        folder: for the folders of jobs, in the clone: every node sees it.
        options: of `sbatch`, for all jobs.
    """

    is_elsewhere = True

    def __init__(self, jobs: int, folder: Path, options: Sequence[str]) -> None:
        super().__init__(jobs, needs.Needs(float("inf"), float("inf")))
        self._folder, self._options = folder.resolve(), options
        self._queue = slurm_jobs.Queue()
        self._groups = slurm_groups.Groups(self._folder, options)
        self._meta: dict[str, Any] = {}
        self._running: dict[Path, str] = {}
        self._changing = threading.Lock()
        self._signal, self._is_left = 0, threading.Event()

    @contextmanager
    def showing(self, waiting: int) -> Iterator[Callable[[str, str], None]]:
        """Show on a terminal how far the stages are; after that, no job waits for one."""
        with super().showing(waiting) as tell:
            try:
                yield tell
            finally:
                if not self._is_left.is_set():
                    self._groups.end()

    def check(self, stage: str, meta: Any) -> None:
        """Make sure that what a stage needs can be read, and that its group can share a job."""
        self._groups.check(stage, meta, _resources(stage, meta))

    def take(self, stage: str, meta: Any) -> bool:
        """Take room for a stage; False if there is none."""
        self._meta[stage] = meta
        return super().take(stage, meta)

    def has_begun(self, key: str, outs: Sequence[Path]) -> bool:
        """Whether an earlier run left a job of a stage, which runs, or ended well a moment ago.

        A job of the stage with other inputs is ended: it would write the same outputs.

        Args:
            key: of the stage, and of its inputs.
            outs: its outputs. What was changed since the job's end is not the job's any more.

        Raises:
            StageError: Slurm does not answer.
        """
        folders = [*self._folder.glob(f"{key}-*")]
        alive = [
            folder
            for folder in folders
            if slurm_jobs.status(folder) is None and self._is_alive(folder, is_new=True)
        ]
        ended = [folder for folder in folders if slurm_jobs.status(folder) == 0]
        good = {*alive, *ended} if alive or _are_of(ended, outs) else set()
        for folder in {*folders} - good:  # of a job that failed, or whose results were changed
            shutil.rmtree(folder)
        for folder in {*self._folder.glob(f"{key.partition('-')[0]}-*")} - {*folders}:
            self._end_outdated(folder)
        return bool(good)

    def run(self, command: Command) -> int:
        """Run a command to its end; its exit status.

        Raises:
            StageError: Slurm refused the job, or lost it.
        """
        folder = self._folder / command.key
        number = self._found(folder) if folder.exists() else self._submitted(command, folder)
        with self._changing:
            self._running[folder] = number
        if self._signal:  # Ctrl-C came before the job did
            self._end(number, self._signal)
        try:
            with self.printed(command.stage) as take:
                for data in self._followed(folder, command):
                    take(data)
        finally:
            with self._changing:
                number = self._running.pop(folder)
        status = slurm_jobs.status(folder)
        if status != 0 and not self._is_left.is_set():  # nobody takes its results
            shutil.rmtree(folder, ignore_errors=True)
        if status is None:
            raise StageError(
                f"Slurm job {number} is still running. Run the command again to follow it."
            )
        return status

    def recorded(self, key: str) -> None:
        """A stage is recorded: nobody needs its jobs any more."""
        for folder in self._folder.glob(f"{key}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def signal(self, number: int) -> None:
        """End all jobs, and those that are submitted from now on.

        A terminal that is gone, or a lost login, ends no job.
        """
        if number == signal.SIGHUP:
            self._is_left.set()
            return
        self._signal = number
        with self._changing:
            running = {*self._running.values()}
        for job in running:
            self._end(job, number)

    def _end_outdated(self, folder: Path) -> None:
        """End the job of a folder; that of a group, only if it runs the command of the folder."""
        is_own = slurm_jobs.of_job(folder) == folder
        while (
            slurm_jobs.status(folder) is None
            and (is_own or (folder / slurm_jobs.BEGUN).exists())
            and self._is_alive(folder, is_new=True)
        ):
            self._end(self._found(folder), signal.SIGKILL)
            time.sleep(LOOK_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)

    def _end(self, job: str, number: int) -> None:
        name = "" if number == signal.SIGKILL else signal.Signals(number).name.removeprefix("SIG")
        with suppress(StageError):  # it has ended by itself
            slurm_jobs.cancel(job, name)

    def _submitted(self, command: Command, folder: Path) -> str:
        """Submit a command; the number of the job."""
        stage = command.stage
        if group := self._group(stage):
            number = self._groups.add(group, command, folder)
            print(f"Stage '{stage}' is in Slurm job {number}, group '{group}'.", flush=True)
            return number
        folder.mkdir(mode=0o700, parents=True)
        slurm_jobs.write(folder, command, command.environment)
        resources = _resources(stage, self._meta.get(stage))
        options = [f"--job-name={stage}", *resources, *self._options]
        number = slurm_jobs.submit(folder, command.environment, options)
        print(f"Stage '{stage}' is Slurm job {number}.", flush=True)
        return number

    def _group(self, stage: str) -> str:
        return slurm_groups.name(stage, self._meta.get(stage))

    def _is_alive(self, folder: Path, *, is_new: bool = False) -> bool:
        return folder.exists() and self._queue.is_alive(slurm_jobs.of_job(folder), is_new=is_new)

    def _found(self, folder: Path) -> str:
        """The number of a job that an earlier run submitted."""
        state = self._queue.state(slurm_jobs.of_job(folder))
        return state.number if state else "(ended)"

    def _followed(self, folder: Path, command: Command) -> Iterator[bytes]:
        """What a job prints, piece by piece, to its end or until this process is to end."""
        place, lost_since = 0, None
        while True:
            is_over = slurm_jobs.status(folder) is not None or self._is_ended(folder)
            with suppress(FileNotFoundError), (folder / slurm_jobs.OUTPUT).open("rb") as output:
                output.seek(place)
                while data := output.read(PIECE):
                    place += len(data)
                    yield data
            if is_over:
                return
            lost_since = self._lost(folder, command, lost_since)
            self._is_left.wait(LOOK_SECONDS)

    def _is_ended(self, folder: Path) -> bool:
        """Whether a person wants no more of a job, and it has ended or is to go on alone."""
        return self._is_left.is_set() or bool(
            self._signal and not self._is_alive(folder, is_new=True)
        )

    def _lost(self, folder: Path, command: Command, since: float | None) -> float | None:
        """Since when Slurm has not run a job that has no exit status yet.

        Raises:
            StageError: for too long.
        """
        number = self._running[folder]
        try:
            state = self._queue.state(slurm_jobs.of_job(folder))
        except StageError as error:  # a controller that is restarted: the job goes on
            print(f"bucket: {error} Waiting for job {number}.", file=sys.stderr)
            return since
        if state is not None and state.name in slurm_jobs.ALIVE:
            return None
        since = since or time.monotonic()
        if time.monotonic() - since < slurm_jobs.LATE_SECONDS:
            return since
        if new := self._groups.again(self._group(command.stage), command, folder):
            with self._changing:
                self._running[folder] = new
            return None
        ended = f"ended: {state.name}" if state else "is no longer known to Slurm"
        output = folder / slurm_jobs.OUTPUT
        said = f" Its output is in {output}." if output.exists() else ""
        raise StageError(
            f"Slurm job {number} (stage {command.stage}) {ended}, and left no exit status.{said} "
            "If it needs more time or memory, set it in `meta` of the stage."
        )


def _resources(stage: str, meta: Any) -> list[str]:
    """Options of `sbatch` for what a stage needs, as its `meta` says."""
    needed = needs.read(stage, meta)
    options = [f"--cpus-per-task={math.ceil(needed.cpus)}"] if needed.cpus else []
    if needed.memory:
        options.append(f"--mem={math.ceil(needed.memory / 1024)}K")
    return [*options, *_own(stage, meta)]


def _own(stage: str, meta: Any) -> list[str]:
    """Options of `sbatch` that a stage has of its own: `meta: {sbatch: --gres=gpu:1}`.

    Raises:
        ProjectError: they are no text, or quotes in it are not closed.
    """
    own = meta.get("sbatch", "") if isinstance(meta, Mapping) else ""
    try:
        return shlex.split(own)
    except (ValueError, AttributeError, TypeError):
        raise ProjectError(
            f"dvc.yaml, stage {stage}: `meta: sbatch` is {own!r}. Write options of sbatch, as in "
            "`sbatch: --gres=gpu:1 --time=2:00:00`."
        ) from None


def _are_of(folders: Sequence[Path], outs: Sequence[Path]) -> bool:
    """Whether outputs were written while the jobs of these folders ran, and not since."""
    begun = [(folder / slurm_jobs.BEGUN).stat().st_mtime for folder in folders]
    ended = [(folder / slurm_jobs.STATUS).stat().st_mtime for folder in folders]
    times = [file.stat().st_mtime for out in outs for file in _files(out)]
    return bool(folders and times) and min(begun) <= min(times) <= max(times) <= max(ended)


def _files(path: Path) -> list[Path]:
    """The file itself, or the files of a folder."""
    return [file for file in (path, *path.rglob("*")) if file.is_file()]
