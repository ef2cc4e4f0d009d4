"""The whole pipeline as Slurm jobs: to the end, cancelled, out of time, on two nodes with Dask."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.cluster import packages
from tests.cluster.clone import Submitting, of_the_user, wait_for
from tests.cluster.node import SlurmNode
from tests.end_to_end.clones import copy_repository

SAME = "the results are identical to those of the commit, byte for byte"

STRANGER = """\
import sys
from distributed import Client
try:
    Client(sys.argv[1], timeout=5)
except Exception as error:
    print("refused", type(error).__name__)
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmNode]:
    """Two nodes, with a network between them."""
    if reason := packages.why_not():
        pytest.skip(reason)
    node = SlurmNode(tmp_path_factory.mktemp("slurm"), nodes=2)
    try:
        node.start()
        yield node
    finally:
        node.stop()


@pytest.fixture
def clone(slurm: SlurmNode, request: pytest.FixtureRequest) -> Iterator[Submitting]:
    """This repository, committed, in the home of the user; its store is empty."""
    root = slurm.home / request.node.name
    root.mkdir()
    copy_repository(root)
    made = of_the_user(slurm, root)
    yield made
    made.run("bucket serve --stop", PYTHONPATH="src:toolkit/src")


#: With the store on the first node's loopback device, jobs must run there.
FIRST = "--nodelist=node1"


def ended(clone: Submitting, job: str, state: str) -> str:
    """The log of a job that ended as expected and left nothing behind."""
    assert clone.node.wait(job, 600) == state, clone.log(job)
    assert clone.left_behind() == [], clone.log(job)
    assert clone.run("git status --porcelain; git branch --list 'slurm/*'") == ""
    return clone.log(job)


def stages_run(log: str) -> list[str]:
    return re.findall(r"^Running stage '(\w+)'", log, re.MULTILINE)


def test_a_job_gives_the_committed_hashes_and_the_data_is_on_the_remote(
    clone: Submitting,
) -> None:
    log = ended(clone, clone.submit(f"{FIRST} cluster/reproduce.sbatch"), "COMPLETED")
    assert SAME in log
    assert len(stages_run(log)) == 7
    clone.run("bucket verify && bucket pull -q && dvc status -q")


def test_cancelled_half_way_and_submitted_again_it_gives_the_same_hashes(
    clone: Submitting,
) -> None:
    job = clone.submit(f"{FIRST} cluster/reproduce.sbatch")
    wait_for(clone, job, "Running stage 'train'")
    clone.run(f"scancel {job}")
    log = ended(clone, job, "CANCELLED")
    assert "Sent. Submit" in log
    log = ended(clone, clone.submit(f"{FIRST} cluster/reproduce.sbatch"), "COMPLETED")
    assert SAME in log
    assert stages_run(log) == ["train", "evaluate", "report"]
    clone.run("bucket verify")


def test_out_of_time_and_submitted_again_it_gives_the_same_hashes(clone: Submitting) -> None:
    # Slurm looks twice a minute: the signal comes after 5 to 35 s.
    job = clone.submit(f"{FIRST} --time=1 --signal=B:USR1@55 cluster/reproduce.sbatch")
    log = ended(clone, job, "FAILED")
    assert "The time is nearly up" in log
    first = stages_run(log)
    log = ended(clone, clone.submit(f"{FIRST} cluster/reproduce.sbatch"), "COMPLETED")
    assert SAME in log
    # The one that ran when the time was up runs again, and none before it.
    assert stages_run(log)[:1] == first[-1:]
    clone.run("bucket verify")


def test_two_nodes_with_dask_give_the_same_hashes_and_answer_no_stranger(
    clone: Submitting,
) -> None:
    job = clone.submit(f"{FIRST},node2 cluster/dask.sbatch")
    wait_for(clone, job, "Running stage 'validate'")
    found = next(clone.root.glob(".dvc/tmp/dask-*/scheduler.json"))
    modes = [oct(path.stat().st_mode)[-3:] for path in (found.parent, *found.parent.glob("tls/*"))]
    assert modes == ["700", "600", "600"]
    address = re.search(r'"address": "(tls://[^"]+)"', found.read_text())
    assert address is not None
    for guess in (address[1], address[1].replace("tls:", "tcp:")):
        done = clone.node.run(f"python -c '{STRANGER}' {guess}", clone.place)
        assert "refused" in done.stdout, done.stdout + done.stderr
    log = ended(clone, job, "COMPLETED")
    assert SAME in log
    assert "Traceback" not in log
    clone.run("bucket verify")


def test_a_cancelled_dask_job_leaves_nothing_on_either_node(clone: Submitting) -> None:
    job = clone.submit(f"{FIRST},node2 cluster/dask.sbatch")
    wait_for(clone, job, "Running stage 'features'")
    clone.run(f"scancel {job}")
    began = time.monotonic()
    assert "Sent. Submit" in ended(clone, job, "CANCELLED")
    assert time.monotonic() - began < 30
    assert clone.run("ls .dvc/tmp | grep dask || true") == ""
