import os
import subprocess
import sys
from functools import partial

import pytest

from pipeline.partitions import available_cpus, map_partitions

PARTITIONS = list(range(7))


def tagged(number: int, tag: str) -> tuple[str, int]:
    return tag, number * number


def process_of(_: int) -> int:
    return os.getpid()


def fails_from_three(number: int) -> int:
    if number >= 3:
        raise ValueError(f"partition {number}")
    return number


@pytest.mark.parametrize("workers", [None, 1, 2, 99])
def test_results_come_in_the_order_of_the_partitions_whatever_the_workers(
    workers: int | None,
) -> None:
    found = map_partitions(partial(tagged, tag="x"), PARTITIONS, label="t", workers=workers)
    assert found == [("x", number * number) for number in PARTITIONS]


def test_one_worker_is_this_process_and_two_are_others() -> None:
    assert set(map_partitions(process_of, PARTITIONS, label="t", workers=1)) == {os.getpid()}
    others = set(map_partitions(process_of, PARTITIONS, label="t", workers=2))
    assert os.getpid() not in others


@pytest.mark.parametrize("workers", [1, 2])
def test_the_exception_of_the_first_partition_that_failed_comes_through(workers: int) -> None:
    with pytest.raises(ValueError, match="partition 3"):
        map_partitions(fails_from_three, PARTITIONS, label="t", workers=workers)


def test_no_partitions_give_no_results() -> None:
    assert map_partitions(fails_from_three, [], label="t") == []


def test_a_pipe_sees_no_progress_bar() -> None:
    code = "from pipeline.partitions import *; map_partitions(abs, [1, 2], label='t', workers=1)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout + result.stderr == b""


def test_the_cpus_are_those_that_this_process_is_allowed() -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system has no CPU affinity")
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert available_cpus() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert available_cpus() == len(allowed)
