import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import dask
import psutil
import pytest

from dvc_bucket.base.ports import free_ports
from dvc_bucket.stages import StageError, map_partitions
from dvc_bucket.stages.executors import (
    SCHEDULER,
    SUBMITTED_PER_WORKER,
    WORKERS,
    _flow,
    available_cpus,
    wanted_workers,
)
from tests import TESTS_ROOT
from tests.stages.partition_tools import deadly, marked, process_of, slowly, tagged
from tests.stages.stage_tools import dask_cluster

# The project's modules are those of a small one, of which this process imports none.
pytestmark = pytest.mark.usefixtures("small")

PARTITIONS = {f"p{number}": number for number in range(7)}


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two workers on this machine."""
    with dask_cluster() as address:
        yield address


@pytest.fixture(params=["1", "2", "Dask"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One way of running; what is called after it runs so."""
    name: str = request.param
    if name == "Dask":
        monkeypatch.setenv(SCHEDULER, request.getfixturevalue("cluster"))
    else:
        monkeypatch.setenv(WORKERS, name)
    return name


def test_results_come_in_the_order_of_the_partitions_whoever_works(engine: str) -> None:
    found = map_partitions(partial(tagged, tag=engine), PARTITIONS, label="t")
    assert found == [(engine, number * number) for number in PARTITIONS.values()]


@pytest.mark.usefixtures("engine")
def test_partitions_that_fail_are_named_and_the_others_end(tmp_path: Path) -> None:
    with pytest.raises(StageError) as caught:
        map_partitions(partial(marked, folder=tmp_path), PARTITIONS, label="stage")
    said = str(caught.value)
    assert said.startswith("stage: 2 of 7 partitions failed.\np3:\n")
    assert "ValueError: an odd value" in said
    assert "in marked" in said  # where in the worker
    assert said.endswith("\np5: a file that says what is wrong with it.")
    assert {path.name for path in tmp_path.iterdir()} == {str(one) for one in range(7)}


def test_what_a_worker_that_died_had_under_way_is_done_again(engine: str, tmp_path: Path) -> None:
    if engine == "1":
        pytest.skip("the one process is the test's own")
    found = map_partitions(partial(deadly, folder=tmp_path, times=1), PARTITIONS, label="t")
    assert found == list(PARTITIONS.values())
    assert len(list(tmp_path.iterdir())) == 1


def test_a_partition_that_kills_every_worker_is_named_alone(tmp_path: Path) -> None:
    with pytest.raises(StageError) as caught:
        map_partitions(partial(deadly, folder=tmp_path, times=99), PARTITIONS, label="t", workers=2)
    assert str(caught.value).startswith(
        "t: 1 of 7 partitions failed.\np4: its process died, also when it ran alone."
    )


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "from functools import partial; from pathlib import Path;"
        "from dvc_bucket.stages import map_partitions;"
        "from tests.stages.partition_tools import endless;"
        f"function = partial(endless, folder=Path({str(tmp_path)!r}));"
        "map_partitions(function, {'one': 1, 'two': 2}, label='t', workers=2)"
    )
    environment = os.environ | {"PYTHONPATH": str(TESTS_ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as parent:
        until(lambda: len(list(tmp_path.iterdir())) == 2)
        parent.kill()
    until(lambda: not any(psutil.pid_exists(int(path.name)) for path in tmp_path.iterdir()))


def test_a_pool_has_its_sockets_where_names_are_short_enough(tmp_path: Path) -> None:
    code = (
        "import operator, tempfile; from dvc_bucket.stages import map_partitions;"
        "print(map_partitions(operator.neg, {'one': 1, 'two': 2}, label='t', workers=2));"
        "print(tempfile.gettempdir())"
    )
    folder = tmp_path / "a name that is long enough, so that there is no room for a socket's name"
    folder.mkdir()
    environment = os.environ | {"PYTHONPATH": str(TESTS_ROOT), "TMPDIR": str(folder)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"[-1, -2]\n{folder}\n"
    assert list(folder.iterdir()) == []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_worker_is_this_process_and_more_are_others() -> None:
    assert set(map_partitions(process_of, PARTITIONS, label="t", workers=1)) == {os.getpid()}
    others = set(map_partitions(process_of, PARTITIONS, label="t", workers=2))
    assert os.getpid() not in others


@pytest.mark.parametrize(
    ("seconds", "environment", "is_here"),
    [(0.01, {}, True), (10.0, {}, False), (None, {}, False), (0.01, {WORKERS: "2"}, False)],
)
def test_little_work_stays_in_this_process(
    seconds: float | None,
    environment: dict[str, str],
    is_here: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dvc_bucket.stages.executors.available_cpus", lambda: 2)
    monkeypatch.delenv(WORKERS, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    done_by = set(map_partitions(process_of, PARTITIONS, label="t", seconds=seconds))
    assert (done_by == {os.getpid()}) == is_here


def test_no_more_is_under_way_than_asked() -> None:
    lock, now, most = threading.Lock(), 0, 0

    class Counting(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            return super().submit(*args, **kwargs)

    with Counting(2) as pool:
        for _ in _flow(pool, process_of, PARTITIONS, list(PARTITIONS), 2 * SUBMITTED_PER_WORKER):
            with lock:
                now -= 1
    assert most == 2 * SUBMITTED_PER_WORKER


def test_workers_that_come_late_have_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {str(number): number for number in range(60)}
    words = "--nthreads 3 --host 127.0.0.1 --no-dashboard --dashboard-address 127.0.0.1:0"
    with dask_cluster(workers=1) as address:
        monkeypatch.setenv(SCHEDULER, address)
        late = subprocess.Popen(
            [Path(sys.executable).with_name("dask"), "worker", address, *words.split()],
            env=os.environ | {"PYTHONPATH": str(TESTS_ROOT)},
            stderr=subprocess.DEVNULL,
        )
        try:
            times = map_partitions(slowly, many, label="t")
        finally:
            late.terminate()
            late.wait()
    together = [sum(begin <= moment < end for begin, end in times) for moment, _ in times]
    assert together[0] == 1
    assert max(together) == 1 + 3


def test_no_partitions_give_no_results() -> None:
    assert map_partitions(process_of, {}, label="t") == []


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"tcp://127.0.0.1:{free_ports(1)[0]}"
    monkeypatch.setenv(SCHEDULER, address)
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(StageError, match=f"{SCHEDULER} is {address}, but no scheduler answers"),
    ):
        map_partitions(process_of, PARTITIONS, label="t")


@pytest.mark.parametrize("found", ["0", "-1", "two", "²"])
def test_a_number_of_workers_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    monkeypatch.setenv(WORKERS, found)
    with pytest.raises(StageError, match=f"{WORKERS} is '{found}'"):
        map_partitions(process_of, PARTITIONS, label="t")


def test_a_pipe_sees_no_progress_bar() -> None:
    code = (
        "from dvc_bucket.stages import map_partitions;"
        "map_partitions(abs, {'a': 1}, label='t', workers=1)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout + result.stderr == b""


def test_the_cpus_are_those_that_this_process_is_allowed() -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system has no CPU affinity")
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert available_cpus() == wanted_workers() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert available_cpus() == len(allowed)
