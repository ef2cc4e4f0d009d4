"""The same bytes from one process, from two, and from a cluster of Dask."""

import os

import pytest

from dvc_bucket.base.kernels import pins
from dvc_bucket.stages.executors import SCHEDULER, WORKERS
from tests.stages.stage_tools import SmallProject, contents, dask_cluster


def made(small: SmallProject, name: str, **environment: str) -> dict[str, bytes]:
    """What the stage makes in this environment."""
    output = small.root / name
    done = small.run(output, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar in a pipe
    return contents(output)


@pytest.fixture
def _as_on_a_cluster(small: SmallProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers start in the project, which is not installed, with the stage's kernels."""
    for name, value in pins(os.environ).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(small.root)


@pytest.mark.usefixtures("_as_on_a_cluster")
def test_the_bytes_are_the_same_whoever_works(small: SmallProject) -> None:
    one = made(small, "one", **{WORKERS: "1"})
    assert len(one) == 4
    assert made(small, "two", **{WORKERS: "2"}) == one
    with dask_cluster() as address:
        assert made(small, "dask", **{SCHEDULER: address}) == one


@pytest.mark.usefixtures("_as_on_a_cluster")
def test_a_worker_with_another_module_is_named(small: SmallProject) -> None:
    with dask_cluster(workers=1) as address:
        made(small, "first", **{SCHEDULER: address})
        with (small.root / "steps.py").open("a") as source:
            source.write("\n# changed\n")
        failed = small.run(small.output, **{SCHEDULER: address})
    assert failed.returncode == 1
    assert "runs a version of steps that differs from this clone's. Restart the workers." in (
        failed.stderr
    )
