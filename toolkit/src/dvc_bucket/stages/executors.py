"""Where partitions run: this process, a pool of processes, or a cluster of Dask.

Each takes the same calls and gives back outcomes as they come. Stages use `map_partitions`.
"""

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for_one
from multiprocessing.context import BaseContext
from typing import Any

from dvc_bucket.base import extras, scratch
from dvc_bucket.base.errors import StageError
from dvc_bucket.stages.recipe import Recipe, own_modules

#: The address of a Dask scheduler, in the variable that Dask itself reads.
SCHEDULER = "DASK_SCHEDULER_ADDRESS"

#: The number of processes; it changes no result, so it is no parameter of a stage.
WORKERS = "PIPELINE_WORKERS"

#: Partitions under way for each process of a pool: the next one waits beside it, and no more are in
#: memory. On a cluster Dask holds as many back, whatever workers come and go (`worker-saturation`).
SUBMITTED_PER_WORKER = 2

#: Work of fewer seconds is done in this process: others first import what it has imported.
MIN_SECONDS = 3.0

#: How often a partition may lose its worker while nothing else runs.
MAX_LOSSES_ALONE = 2

#: Seconds to wait for a cluster's first worker, which may wait in a queue itself.
FIRST_WORKER_TIMEOUT = 600.0

WORKER_DIED = (
    "its process died, also when it ran alone. The system kills a process that uses too much "
    "memory: give the job more memory, or use smaller partitions."
)

Function = Callable[[Any], Any]

#: The key of a partition, and what came of it: a future that is done, of Python or of Dask.
Outcome = tuple[str, Any]


def outcomes(
    function: Function,
    partitions: Mapping[str, Any],
    workers: int | None = None,
    seconds: float | None = None,
) -> Iterator[Outcome]:
    """Run `function` for every partition where the environment says; pairs in any order.

    Args:
        function: of a partition.
        partitions: by key.
        workers: processes of this machine.
        seconds: that a partition takes; None if that is not known.

    Raises:
        StageError: the environment names no number of workers, or a scheduler that does not answer.
        ProjectError: the current folder is in no project, and other processes are to work.
    """
    if address := os.environ.get(SCHEDULER):
        return _on_dask(function, partitions, address)
    number = min(workers or wanted_workers(), len(partitions))
    is_chosen = workers or os.environ.get(WORKERS)
    is_little = seconds is not None and seconds * len(partitions) < MIN_SECONDS
    if number <= 1 or (is_little and not is_chosen):
        return ((key, _attempt(function, partition)) for key, partition in partitions.items())
    return _in_pool(function, partitions, number)


def wanted_workers() -> int:
    """Processes of this machine: `PIPELINE_WORKERS`, or the CPUs that this process may use.

    Raises:
        StageError: the variable is no number of processes.
    """
    asked = os.environ.get(WORKERS)
    if not asked:
        return available_cpus()
    if not asked.isascii() or not asked.isdigit() or int(asked) < 1:
        raise StageError(f"{WORKERS} is {asked!r}. Set it to a positive number of processes.")
    return int(asked)


def available_cpus() -> int:
    """CPUs that this process may use: on a cluster the job's share, not the node's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _attempt(function: Function, partition: Any) -> "Future[Any]":
    future: Future[Any] = Future()
    try:
        future.set_result(function(partition))
    except Exception as error:  # the others are to run all the same
        future.set_exception(error)
    return future


def _in_pool(function: Function, partitions: Mapping[str, Any], workers: int) -> Iterator[Outcome]:
    """In processes of this machine, which are made again where one of them dies.

    With one process all are lost, and it is not known which partition was its end: so those that
    were under way run again alone.
    """
    left = dict(partitions)
    suspects: list[str] = []
    losses: Counter[str] = Counter()
    while left:
        alone, keys = bool(suspects), suspects or list(left)
        suspects = []
        number = 1 if alone else workers
        with ProcessPoolExecutor(number, _context(), _end_with_parent) as pool:
            for key, future in _flow(
                pool, function, left, keys, 1 if alone else SUBMITTED_PER_WORKER * number
            ):
                if isinstance(future.exception(), BrokenExecutor):
                    losses[key] += alone
                    if losses[key] < MAX_LOSSES_ALONE:
                        suspects.append(key)
                        continue
                    future = Future()
                    future.set_exception(StageError(WORKER_DIED))
                del left[key]
                yield key, future


def _context() -> BaseContext:
    """How processes start: as forks of a server that has imported, once, what this process has.

    Not as forks of this process: it may hold threads of Arrow or OpenMP, which a fork would copy in
    mid-air.
    """
    scratch.make_room_for_sockets()
    context = get_context("forkserver")
    toolkit = [name for name in sys.modules if name.startswith(f"{__package__}.")]
    context.set_forkserver_preload(toolkit + own_modules())
    return context


def _end_with_parent() -> None:
    """Have this process of a pool end when its parent is killed; else it would wait for ever."""

    def watch(sentinel: int) -> None:
        wait_for_one([sentinel])
        os._exit(1)

    if parent := parent_process():
        threading.Thread(target=watch, args=[parent.sentinel], daemon=True).start()


def _on_dask(function: Function, partitions: Mapping[str, Any], address: str) -> Iterator[Outcome]:
    """On a cluster of Dask, which runs a partition again where its worker is lost."""
    try:
        from distributed import Client, as_completed
    except ImportError:
        missing = extras.missing("dask", "distributed")
        raise StageError(f"{SCHEDULER} is set, and {missing}") from None
    try:
        client: Any = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise StageError(
            f"{SCHEDULER} is {address}, but no scheduler answers there: {error}"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=FIRST_WORKER_TIMEOUT)
        except TimeoutError:
            raise StageError(
                f"The scheduler {address} has had no worker for {FIRST_WORKER_TIMEOUT:.0f} s."
            ) from None
        # All at once: one by one, each takes the scheduler milliseconds more.
        function = Recipe.here().checked(function)
        futures = client.map(function, list(partitions.values()), pure=False)
        keys = dict(zip(futures, partitions, strict=True))
        for future in as_completed(futures, loop=client.loop):
            yield keys.pop(future), future


def _flow(
    pool: Executor,
    function: Function,
    partitions: Mapping[str, Any],
    keys: Sequence[str],
    most: int,
) -> Iterator[Outcome]:
    """Futures that are done, with at most so many under way; fewer where the pool has broken."""
    coming = iter(keys)
    running: dict[Future[Any], str] = {}

    def start(count: int) -> None:
        try:
            for key in islice(coming, count):
                running[pool.submit(function, partitions[key])] = key
        except BrokenExecutor:  # what was not started stays with who asks
            return

    start(most)
    while running:
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(future), future
        start(most - len(running))
