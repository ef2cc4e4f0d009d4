"""The experiments of DVC's queue, several at a time, each in a process of its own.

They run by what runs stages side by side: the same room by `meta`, output, and Ctrl-C.
"""

import fcntl
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, NamedTuple

from dvc_bucket.base import ending
from dvc_bucket.base.errors import ExperimentError, ProjectError
from dvc_bucket.base.files import private_folder
from dvc_bucket.base.paths import Project
from dvc_bucket.base.terminal import say
from dvc_bucket.base.words import counted, listed
from dvc_bucket.connection import clients
from dvc_bucket.connection.overrides import point_dvc_at
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import packages, site_cache
from dvc_bucket.dvc.connected import environment, run_dvc
from dvc_bucket.dvc.patched import experiments, sharing
from dvc_bucket.dvc.patched.chosen import VARIABLE, is_plain
from dvc_bucket.dvc.patched.differences import different, sentence
from dvc_bucket.dvc.patched.stage_touch_points import EXPERIMENTING
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.dvc.running import Command
from dvc_bucket.stages.commands import needs
from dvc_bucket.stages.commands.local import LocalRunner

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

#: DVC's exit status after Ctrl-C.
INTERRUPTED = 252

#: Where the folders of experiments are, and what their processes share, from DVC's temporary one.
FOLDER = "exps/bucket"


class _Ended(NamedTuple):
    """The process of an experiment ended.

    Attributes:
        rev: of the experiment.
        future: with its exit status.
    """

    rev: str
    future: "Future[int]"


def run(project: Project, settings: Settings, queueing: Sequence[str] | None, jobs: int) -> int:
    """Run all that is queued, and print what became of it; the exit status.

    Args:
        project: the clone.
        settings: the connection.
        queueing: DVC's command that puts more into the queue before; None for none.
        jobs: how many experiments run at once at most.

    Raises:
        ExperimentError: something else runs the queue of this clone.
        PackagesError: other versions are installed than `packages.yaml` has.
    """
    packages.refuse(["repro", "--force"])
    if queueing and (status := run_dvc(queueing, project, settings)):
        return status
    if why := _why_plain():
        say(f"{why} Its workers run the experiments; the exit status is 0 even if one fails.")
        return run_dvc(["exp", "run", "--run-all", f"--jobs={jobs}"], project, settings)
    point_dvc_at(project, settings)
    with _folder(project) as folder:
        variables = environment(project, settings) | clients.own_names(project, settings)
        variables[site_cache.VARIABLE] = str(folder / "site")
        sweep = _Sweep(project, LocalRunner(jobs, "experiment"), folder, variables)
        sweep.run()
    print(sweep.summary(jobs), flush=True)
    return INTERRUPTED if sweep.interrupts else int(bool(sweep.failed))


def _why_plain() -> str:
    """Why plain DVC runs the queue, in a sentence; empty if it does not."""
    if is_plain():
        return f"{VARIABLE}=0: plain DVC does the work."
    others = different(EXPERIMENTING)
    return f"{sentence(others)} Plain DVC does the work." if others else ""


class _Sweep:
    """A run of the queue."""

    def __init__(
        self, project: Project, runner: LocalRunner, folder: Path, variables: Mapping[str, str]
    ) -> None:
        self._project, self._runner, self._folder = project, runner, folder
        self._variables = variables
        self._events: SimpleQueue[_Ended | int] = SimpleQueue()
        self._running: dict[str, experiments.Ready] = {}
        self._tell: Callable[[str, str], None] = lambda *_: None
        self._stages: Counter[str] = Counter()
        self.done, self.failed, self.interrupts = 0, list[str](), 0
        self._left = 0

    def run(self) -> None:
        """Run experiments until none waits, or a person ends it."""
        with opened(self._project) as repo:
            waiting = experiments.queued(repo)
            if waiting and experiments.has_worker(repo):
                raise ExperimentError(
                    "A worker of DVC is running the queue of this clone. Wait for it, or end it: "
                    "`bucket queue stop`."
                )
        with (
            ending.heard(self._events.put),
            self._runner.showing(len(waiting)) as self._tell,
            ThreadPoolExecutor(self._runner.jobs, "experiment") as pool,
        ):
            while self._begin(pool):
                event = self._events.get()
                if isinstance(event, int):
                    self._interrupt(event)
                else:
                    self._end(self._running.pop(event.rev), event.future.result())
        if self.interrupts:
            with opened(self._project) as repo:
                self._left = len(experiments.queued(repo))

    def summary(self, jobs: int) -> str:
        """What became of the experiments and their stages, and what to do next."""
        if not (self.done or self.failed or self.interrupts):
            return "The queue is empty."
        ran, taken = (self._stages[word] for word in (sharing.RAN, sharing.TAKEN))
        failed = f", {len(self.failed)} failed ({listed(self.failed)})" if self.failed else ""
        said = (
            f"{counted(self.done, 'experiment')} done{failed}. "
            f"{counted(ran, 'stage')} ran, {taken:,} taken from the run cache."
        )
        if self.interrupts:
            return (
                f"{said} {counted(self._left, 'experiment')} in the queue: `bucket exp run "
                f"--run-all --jobs {jobs}` continues."
            )
        return f"{said} Compare them: `bucket report --experiments`." if self.done else said

    def _begin(self, pool: ThreadPoolExecutor) -> bool:
        """Begin the experiments that have room; whether there are any under way.

        One whose files cannot be read fails like one whose stage does.
        """
        if self.interrupts:
            return bool(self._running)
        with opened(self._project) as repo:
            for one in experiments.queued(repo):
                if one.rev in self._running:
                    continue
                try:
                    if not self._runner.take(one.rev, _meta(repo, one)):
                        break
                    self._start(repo, one, pool)
                except (ExperimentError, ProjectError) as error:
                    self._give_up(repo, one, str(error))
        return bool(self._running)

    def _start(self, repo: "Repo", one: experiments.Queued, pool: ThreadPoolExecutor) -> None:
        self._tell(one.name, "running")
        ready = experiments.make_ready(repo, one, self._folder)
        self._running[one.rev] = ready
        words = [sys.executable, "-m", "dvc_bucket.dvc.experiment", self._record(one), *ready.words]
        command = Command(one.name, words, Path.cwd(), self._variables, one.rev)
        future = pool.submit(self._runner.run, command)
        future.add_done_callback(lambda done: self._events.put(_Ended(one.rev, done)))

    def _end(self, ready: experiments.Ready, status: int) -> None:
        """Keep what an experiment did, or say why not."""
        one = ready.queued
        if (record := Path(self._record(one))).exists():
            self._stages.update(record.read_text(encoding="utf-8").split())
            record.unlink()
        with opened(self._project) as repo:
            try:
                if status == 0:
                    experiments.keep(repo, ready)
                    self._runner.give(one.rev)
                    self._tell(one.name, "done")
                    self.done += 1
                elif not self.interrupts:
                    self._give_up(repo, one, f"exit status {status}; the lines above say why")
            except ExperimentError as error:
                self._give_up(repo, one, str(error))
        experiments.remove_folder(ready)

    def _give_up(self, repo: "Repo", one: experiments.Queued, why: str) -> None:
        self._runner.give(one.rev)
        self._tell(one.name, "failed")
        self.failed.append(one.name)
        experiments.give_up(repo, one)
        print(f"Experiment '{one.name}' failed: {why.rstrip('.')}.", file=sys.stderr)

    def _interrupt(self, number: int) -> None:
        """Ctrl-C: nothing more begins, and what runs is told to end."""
        self._runner.signal(ending.escalated(number, self.interrupts))
        self.interrupts += 1
        if self.interrupts == 1 and self._running:
            say("Interrupted: waiting for the running experiments (again: terminate).")

    def _record(self, one: experiments.Queued) -> str:
        """The file in which the process of an experiment notes its stages."""
        return os.fspath(self._folder / f"{one.rev}.stages")


def _meta(repo: "Repo", one: experiments.Queued) -> Mapping[str, object]:
    """What an experiment needs: its stages run one after another, so the most of any.

    Raises:
        ExperimentError: DVC cannot read its files.
        ProjectError: a stage says it in another way than as an amount.
    """
    wanted = [needs.read(name, meta) for name, meta in experiments.metas(repo, one).items()]
    memory = max((need.memory for need in wanted), default=0)
    return {"cpus": max((need.cpus for need in wanted), default=0), "memory": f"{memory:.0f}"}


@contextmanager
def _folder(project: Project) -> Iterator[Path]:
    """An empty folder for this run, while no other one runs the queue of the clone.

    Raises:
        ExperimentError: one does, or one that was killed left experiments that run.
        UnsafePathError: another user could have put files there.
    """
    folder = private_folder(project.root / ".dvc" / "tmp" / FOLDER)
    ours = folder / "run"
    with (folder / "lock").open("w") as lock, ExitStack() as files:
        if not _is_free(lock):
            raise ExperimentError(
                "Another `bucket exp run` is running the queue of this clone, and also runs "
                "experiments queued meanwhile."
            )
        if (alive := ours / sharing.ALIVE).exists() and not _is_free(
            files.enter_context(alive.open())
        ):
            raise ExperimentError(
                "A `bucket exp run` of this clone was killed, and its experiments still run. Wait "
                f"for them, or end their processes, whose command lines contain {ours}."
            )
        shutil.rmtree(ours, ignore_errors=True)
        try:
            yield private_folder(ours)
        finally:
            shutil.rmtree(ours, ignore_errors=True)


def _is_free(file: IO[str]) -> bool:
    """Lock a file, until it is closed; False if another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
