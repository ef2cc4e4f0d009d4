"""Work done partition by partition: on every core of this process, or on a cluster of Dask."""

import traceback
from collections.abc import Callable, Mapping
from typing import TypeVar

from tqdm import tqdm

from dvc_bucket.base.errors import BucketError, StageError
from dvc_bucket.stages.executors import outcomes

Partition = TypeVar("Partition")
Result = TypeVar("Result")


def map_partitions(
    function: Callable[[Partition], Result],
    partitions: Mapping[str, Partition],
    *,
    label: str,
    workers: int | None = None,
    seconds: float | None = None,
) -> list[Result]:
    """Apply `function` to every partition and return the results in the partitions' order.

    Runs on the Dask cluster that `DASK_SCHEDULER_ADDRESS` names, or in `workers` processes of this
    machine (default: `PIPELINE_WORKERS`, or the CPUs of this process; with 1, in this process).
    It starts only as many partitions as the workers need, and those of a worker that died again.
    If neither `workers` nor `PIPELINE_WORKERS` is set, work of less than 3 s in all stays in this
    process, as other processes take about a second to start.

    Args:
        function: of a module, or a `functools.partial` of one; it depends only on its argument.
        partitions: each by the key that names it in messages.
        label: of the progress bar, and in messages.
        workers: processes of this machine.
        seconds: that a partition takes, about; None if you do not know.

    Raises:
        StageError: `function` failed for some partitions, named with their tracebacks after the
            others had finished. Or the environment names an invalid number of workers, or a
            scheduler that does not answer.
        ProjectError: the current folder is not in a project, which other processes need.
    """
    results: dict[str, Result] = {}
    failed: dict[str, BaseException] = {}
    # disable=None: no bar where standard error is not a terminal.
    with tqdm(total=len(partitions), desc=label, disable=None, leave=False) as bar:
        for key, outcome in outcomes(function, partitions, workers, seconds):
            if error := outcome.exception():
                failed[key] = error
            else:
                results[key] = outcome.result()
            bar.update()
    if failed:
        messages = [_message(key, failed[key]) for key in partitions if key in failed]
        count = f"{len(failed)} of {len(partitions)} partitions failed"
        raise StageError("\n".join([f"{label}: {count}.", *messages]))
    return [results[key] for key in partitions]


def _message(key: str, error: BaseException) -> str:
    """A partition's failure; with the worker's traceback unless it is a message for people."""
    if isinstance(error, BucketError):
        return f"{key}: {error}"
    return f"{key}:\n{''.join(traceback.format_exception(error)).rstrip()}"
