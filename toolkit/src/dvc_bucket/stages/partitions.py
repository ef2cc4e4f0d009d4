"""Work done partition by partition: on every core of this process, or on a cluster of Dask."""

import traceback
from collections.abc import Callable, Iterable, Mapping
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

    Args:
        function: of a module, or a `functools.partial` of one; it depends only on its argument.
        partitions: each by the key that names it in messages.
        label: of the progress bar, and in messages.
        workers: processes of this machine.
        seconds: that a partition takes, about; None if you do not know. Without a number of
            workers, less than 3 s of work stay in this process: others take a second to start.

    Raises:
        StageError: `function` failed for some partitions, named with their tracebacks after the
            others had finished. Or the environment names an invalid number of workers, or a
            scheduler that does not answer.
        ProjectError: the current folder is not in a project, which other processes need.
    """
    results: dict[str, Result] = {}
    failed: dict[str, BaseException] = {}
    with tqdm(total=len(partitions), desc=label, disable=None, leave=False) as bar:  # not in a pipe
        for key, outcome in outcomes(function, partitions, workers, seconds):
            if error := outcome.exception():
                failed[key] = error
            else:
                results[key] = outcome.result()
            bar.update()
    if failed:
        raise StageError(_summary(label, partitions, failed))
    return [results[key] for key in partitions]


def _summary(label: str, partitions: Iterable[str], failed: Mapping[str, BaseException]) -> str:
    keys = list(partitions)
    messages = [_message(key, failed[key]) for key in keys if key in failed]
    return "\n".join([f"{label}: {len(failed)} of {len(keys)} partitions failed.", *messages])


def _message(key: str, error: BaseException) -> str:
    """A partition's failure; with the worker's traceback unless it is a message for people."""
    if isinstance(error, BucketError):
        return f"{key}: {error}"
    return f"{key}:\n{''.join(traceback.format_exception(error)).rstrip()}"
