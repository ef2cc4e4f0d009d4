"""Independent stages at the same time: the plan, the checks and the records are DVC's own.

Each stage has a thread, in which DVC's function reproduces it. That thread has the baton, the lock
of the clone, except where DVC itself unlocks the clone: while the stage's command runs.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from dvc_bucket.base import ending
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.patched import left, nesting, recording
from dvc_bucket.dvc.patched.baton import Baton
from dvc_bucket.dvc.patched.channel import logger
from dvc_bucket.dvc.patched.order import Order
from dvc_bucket.dvc.patched.plan import FAIL, Plan
from dvc_bucket.dvc.patched.replacement import replacement
from dvc_bucket.dvc.running import Command, Runner

#: Files of this size or more are hashed before the thread has the baton; DVC then knows the hash.
LARGE = 1_000_000

#: What a person chose; None for one stage after another.
runner: Runner | None = None

#: The run under way.
_run: "_Run | None" = None


class _StoppedError(Exception):
    """The run ends before this stage begins."""


class _Event(NamedTuple):
    """What happened to a stage: its command ended, or all of it did.

    Attributes:
        stage: None if a person wants the run to end.
        is_done: all of it.
        result: what DVC's function returned; the signal, if there is no stage.
        error: what it raised.
    """

    stage: Any = None
    is_done: bool = False
    result: Any = None
    error: BaseException | None = None


@replacement
def reproduce(
    original: Callable[..., list[Any]],
    stages: list[Any],
    graph: Any = None,
    force_downstream: bool = False,
    on_error: str = FAIL,
    force: bool = False,
    repro_fn: Callable[..., Any] | None = None,
    **named: Any,
) -> list[Any]:
    """DVC's `_reproduce`, which runs as many stages at once as the runner does."""
    from dvc.repo.reproduce import _reproduce_stage

    run = repro_fn or _reproduce_stage
    options: Any = {"force_downstream": force_downstream, "on_error": on_error, "force": force}
    is_dvcs = named.get("dry") or named.get("interactive") or not stages
    if runner is None or is_dvcs or (len(stages) == 1 and not runner.is_elsewhere):
        return original(stages, graph=graph, repro_fn=run, **options, **named)
    graph = left.without_edges(stages) if graph is None else graph  # `--single-item` needs none
    plan = Plan(stages, graph, stages[0].repo.index.graph, **options)
    return _Run(plan, runner, lambda stage, **more: run(stage, **more, **named)).outcome()


@replacement
def cmd_run(
    original: Callable[..., None], stage: Any, dry: bool = False, run_env: Any = None
) -> None:
    """DVC's `cmd_run`, which has the runner run the commands of a stage."""
    if _run is None or dry:
        original(stage, dry=dry, run_env=run_env)
    else:
        _run.commands(stage, run_env)


@replacement
def remove_outs(
    original: Callable[..., None], stage: Any, ignore_remove: bool = False, force: bool = False
) -> None:
    """DVC's `Stage.remove_outs`, which spares the outputs of a command that goes on."""
    if _run is None or not _run.has_begun(stage):
        original(stage, ignore_remove=ignore_remove, force=force)


class _Run:
    """A run of stages side by side."""

    def __init__(self, plan: Plan, runner: Runner, reproduce: Callable[..., Any]) -> None:
        self._plan, self._runner, self._reproduce = plan, runner, reproduce
        self._stages = [*plan.rank]
        self._repo = self._stages[0].repo
        self._events: SimpleQueue[_Event] = SimpleQueue()
        self._stopping, self._interrupts = threading.Event(), 0
        self._tell: Callable[[str, str], None] = lambda *_: None
        self._keys: dict[Any, str] = {}

    def outcome(self) -> list[Any]:
        """Run the stages; what DVC's function returns.

        Raises:
            KeyboardInterrupt: a person ended it.
            ReproductionError: a stage failed.
        """
        self._check()
        with (
            self._prepared(),
            self._runner.showing(len(self._stages)) as self._tell,
            # More than commands run: a stage is recorded while the next command runs.
            ThreadPoolExecutor(2 * self._runner.jobs, "stage") as pool,
        ):
            while self._begin(pool):
                self._hear(self._events.get())
        if self._interrupts:
            raise KeyboardInterrupt
        return self._plan.outcome()

    def has_begun(self, stage: Any) -> bool:
        """Whether an earlier run left a command of a stage that goes on, or has just ended well."""
        if not self._runner.is_elsewhere or stage not in self._plan.running or not stage.cmd:
            return False
        key = self._keys[stage] = left.key(stage)
        outs = [Path(out.fs_path) for out in stage.outs]
        return self._runner.has_begun(key, outs)

    def commands(self, stage: Any, run_env: Any) -> None:
        """Run the commands of a stage, in its thread. The clone is unlocked."""
        from dvc.stage import run
        from dvc.stage.exceptions import StageCmdFailedError

        run.logger.info("Running stage '%s':", stage.addressing)
        options, shell = run.prepare_kwargs(stage, run_env=run_env), run.get_executable()
        try:
            for number, text in enumerate(run._enforce_cmd_list(stage.cmd)):
                self._go_on()
                run.display_command(text)
                words = run._make_cmd(shell, text)
                folder, variables = Path(options["cwd"]), options["env"]
                key = f"{self._keys.get(stage, '')}-{number}"
                command = Command(stage.addressing, words, folder, variables, key)
                status = self._runner.run(command)
                if status:
                    raise StageCmdFailedError(text, status)
        finally:
            self._events.put(_Event(stage))
        _hash_large(stage)

    @contextmanager
    def _prepared(self) -> Iterator[None]:
        """Pass the lock of the clone on to threads, and back."""
        global _run
        order = Order(Path(self._repo.tmp_dir), self._stages)
        with ending.heard(lambda number: self._events.put(_Event(result=number))):
            self._baton = Baton(self._repo)
            _run, recording.order = self, order
            try:
                yield
            finally:
                _run = recording.order = None
                self._baton.put_back()
                is_stopped = self._plan.failed and self._plan.on_error == FAIL
                order.end(is_whole=not (self._interrupts or is_stopped))

    def _check(self) -> None:
        """Refuse stages whose needs cannot be read.

        Raises:
            DvcException: names the stage.
        """
        from dvc.exceptions import DvcException

        try:
            for stage in self._stages:
                self._runner.check(stage.addressing, stage.meta)
        except ProjectError as error:
            raise DvcException(str(error)) from None

    def _begin(self, pool: ThreadPoolExecutor) -> bool:
        """Begin the stages that may begin and have room; whether there are any under way."""
        while (stage := self._plan.next()) and self._runner.take(stage.addressing, stage.meta):
            named = self._plan.begin(stage)
            self._tell(stage.addressing, "running")
            pool.submit(self._work, stage, named)
        return bool(self._plan.running)

    def _go_on(self) -> None:
        """End the thread of a stage here if the run ends."""
        if self._stopping.is_set():
            raise _StoppedError

    def _work(self, stage: Any, named: dict[str, Any]) -> None:
        """Reproduce a stage, in a thread of the pool."""
        try:
            with nesting.labelled(stage.addressing), self._baton:
                self._go_on()
                result = self._reproduce(stage, **named)
            if stage in self._keys:
                self._runner.recorded(self._keys[stage])
            self._events.put(_Event(stage, True, result))
        except BaseException as error:  # it goes to the main thread, whatever it is
            self._events.put(_Event(stage, True, error=error))

    def _hear(self, event: _Event) -> None:
        """Take note of what happened."""
        stage, error = event.stage, event.error
        if stage is None:
            self._interrupt(event.result)
            return
        self._runner.give(stage.addressing)
        if not event.is_done:
            return
        if error is None:
            self._plan.finish(stage, event.result)
            self._tell(stage.addressing, "done" if event.result else "unchanged")
        elif isinstance(error, _StoppedError) or self._interrupts:
            self._plan.running.discard(stage)
        elif isinstance(error, Exception):
            self._tell(stage.addressing, "failed")
            for skipped in self._plan.fail(stage, error):
                self._tell(skipped.addressing, "skipped")
            if self._plan.running and self._plan.on_error == FAIL:
                names = ", ".join(sorted(one.addressing for one in self._plan.running))
                logger.warning("'%s' failed: %s. Waiting for %s.", stage.addressing, error, names)
        else:
            raise error

    def _interrupt(self, number: int) -> None:
        """Ctrl-C: nothing more begins, and what runs is told to end."""
        self._runner.signal(ending.escalated(number, self._interrupts))
        self._interrupts += 1
        self._stopping.set()
        self._plan.stop()
        if self._interrupts == 1 and self._plan.running:
            logger.warning("Interrupted: waiting for the running stages (again: terminate).")


def _hash_large(stage: Any) -> None:
    """Hash what a command wrote, while other threads have the baton: DVC remembers hashes."""
    from dvc_data.hashfile.hash import hash_file

    for out in stage.outs:
        if out.protocol != "local" or out.hash_name != "md5":
            continue
        top = Path(out.fs_path)
        for file in [top] if top.is_file() else top.rglob("*"):
            with suppress(OSError):  # DVC says what it cannot read
                if file.is_file() and file.stat().st_size >= LARGE:
                    hash_file(os.fspath(file), out.fs, "md5", state=stage.repo.state)
