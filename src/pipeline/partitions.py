"""Work done partition by partition, on every core that this process may use."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from tqdm import tqdm

Partition = TypeVar("Partition")
Result = TypeVar("Result")


def map_partitions(
    function: Callable[[Partition], Result],
    partitions: Sequence[Partition],
    *,
    label: str,
    workers: int | None = None,
) -> list[Result]:
    """Apply `function` to every partition and return the results in the partitions' order.

    `function` is a module-level function (or a `functools.partial` of one) that draws on nothing
    but its argument, so the results do not depend on the number of `workers` (default: the CPUs
    that this process is allowed). With one worker all runs in this process.
    Shows a progress bar titled `label` on a terminal; silent in a pipe.

    Raises:
        Exception: whatever `function` raised for the first partition that failed.
    """
    workers = min(workers or available_cpus(), len(partitions))

    def watched(results: Iterator[Result]) -> list[Result]:
        # disable=None: no bar where standard error is not a terminal.
        return list(tqdm(results, total=len(partitions), desc=label, disable=None, leave=False))

    if workers <= 1:
        return watched(map(function, partitions))
    # Spawned, not forked: the parent may hold threads of Arrow or OpenMP, which a fork would copy
    # in mid-air.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return watched(pool.map(function, partitions))


def available_cpus() -> int:
    """CPUs that this process may use: on a cluster the job's share, not the node's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
