"""What can go wrong around a Slurm job, with a small project on a real Slurm."""

import re
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.cluster.clone import Submitting, commit, wait_for
from tests.cluster.fixtures import slurm  # noqa: F401 (a fixture)
from tests.cluster.node import SlurmNode
from tests.end_to_end.slurm_small import make_small


@pytest.fixture
def small(slurm: SlurmNode, request: pytest.FixtureRequest) -> Iterator[Submitting]:  # noqa: F811
    made = make_small(slurm, re.sub(r"\W", "-", request.node.name))
    yield made
    made.run("rm -f ~/wait ~/first-ran; bucket serve --stop")


def done(small: Submitting, job: str, state: str = "COMPLETED") -> str:
    """The log of a job that ended as expected and left nothing behind."""
    assert small.node.wait(job) == state, small.log(job)
    assert small.left_behind() == [], small.log(job)
    return small.log(job)


def merged(small: Submitting, job: str) -> None:
    """The job's branch, merged: its data is there, and DVC has nothing to do."""
    small.run(f"git merge -q slurm/{job} && bucket pull -q")
    assert small.run("cat first.txt second/first.txt") == "2\n2\n"
    assert small.run("dvc status -q; git status --porcelain") == ""


def test_a_job_that_dies_without_a_word_goes_on_where_it_was(small: Submitting) -> None:
    small.run("touch ~/wait")
    job = small.submit(JOB_SEND="1")
    wait_for(small, job, "Running stage 'second'")
    time.sleep(8)  # for what is finished to be sent
    for process in small.node.processes():
        process.kill()
    small.run("rm ~/wait")
    assert small.node.wait(job) == "FAILED"
    # Nothing of the script could run: it is the cluster's epilog that clears such scratch folders.
    (left,) = small.node.scratch_folders()
    subprocess.run(["rm", "-rf", left], check=True)
    again = small.submit()
    assert "Stage 'first' is cached" in done(small, again)
    merged(small, again)


def test_told_that_time_is_nearly_up_it_sends_what_is_finished(small: Submitting) -> None:
    small.run("touch ~/wait")
    job = small.submit()
    wait_for(small, job, "Running stage 'second'")
    small.run(f"scancel --batch --signal=USR1 {job}; rm ~/wait")
    said = done(small, job, "FAILED")
    assert "The time is nearly up" in said
    assert "Sent. Submit" in said
    again = small.submit()
    assert "Stage 'first' is cached" in done(small, again)
    merged(small, again)


def test_a_stage_that_does_not_hear_the_signal_is_killed_in_time(small: Submitting) -> None:
    small.run("touch ~/wait ~/deaf")
    job = small.submit()
    wait_for(small, job, "Running stage 'second'")
    small.run(f"scancel {job}")
    assert "Sent. Submit" in done(small, job, "CANCELLED")
    small.run("rm ~/wait ~/deaf")
    again = small.submit()
    assert "Stage 'first' is cached" in done(small, again)


def test_cancelled_before_its_first_stage_a_job_only_clears_up(small: Submitting) -> None:
    job = small.submit()
    wait_for(small, job, "Job ")
    small.run(f"scancel {job}")
    said = done(small, job, "CANCELLED")
    assert "Sending" not in said
    assert "Running stage" not in said


def test_what_the_store_does_not_take_is_kept_in_the_cache_of_the_clone(small: Submitting) -> None:
    small.run("touch ~/wait")
    job = small.submit()
    wait_for(small, job, "Running stage 'second'")
    small.run("bucket serve --stop; rm ~/wait")
    assert f"They are in the cache of {small.place}" in done(small, job, "FAILED")
    small.run("rm ~/first-ran")
    again = small.submit(JOB_OFFLINE="1")
    said = done(small, again)
    assert "Stage 'first' is cached" in said
    assert "Stage 'second' is cached" in said
    assert small.run("ls ~/first-ran 2>/dev/null || true") == ""
    small.run(f"git merge -q slurm/{again} && bucket serve && bucket push")
    small.run("rm -rf .dvc/cache")
    merged(small, again)


def test_without_a_connection_data_comes_from_and_goes_to_the_clone(small: Submitting) -> None:
    small.run("bucket serve --stop")
    job = small.submit(JOB_OFFLINE="1")
    assert "Then send the data from a machine with a network: bucket push" in done(small, job)
    small.run(f"git merge -q slurm/{job} && bucket serve && bucket push")
    small.run("rm -rf .dvc/cache")
    merged(small, job)
    # Again from there, the data in the cache: nothing has to run.
    small.run("bucket serve --stop; rm ~/first-ran")
    again = small.submit(JOB_OFFLINE="1")
    assert "the results are those of the commit" in done(small, again)
    small.run("test ! -e ~/first-ran && bucket serve")


def test_jobs_of_an_array_take_a_stage_each(small: Submitting) -> None:
    small.run("sbatch --wait --array=1-2 cluster/reproduce.sbatch first second")
    logs = sorted(small.root.glob("slurm-*_*.out"))
    assert [log.name[-6:] for log in logs] == ["_1.out", "_2.out"]
    first, second = (log.read_text() for log in logs)
    assert "Running stage 'second'" not in first
    assert small.left_behind() == []
    branches = re.findall(r"git merge (slurm/\d+)", first + second)
    small.run("bucket lock-merge --install")
    for branch in branches:
        small.run(f"git -c user.name=Test -c user.email=test@example.org merge -q {branch}")
    small.run("bucket pull -q && dvc status -q")
    assert small.run("cat first.txt second/first.txt") == "2\n2\n"


def test_a_commit_that_is_named_runs_whatever_is_checked_out(small: Submitting) -> None:
    small.run("git tag v1 && echo three >> words.txt && " + commit("One more"))
    (small.root / "words.txt").write_text("changed and not committed\n")
    job = small.submit(JOB_COMMIT="v1")
    done(small, job)
    small.run(f"git checkout -q -f slurm/{job} && bucket pull -q")
    assert small.run("cat first.txt") == "2\n"
    assert "which" in done(small, small.submit(JOB_COMMIT="v9"), "FAILED")


@pytest.mark.parametrize(
    "scratch",
    ["/srv/no-such-folder", "/srv/home/student/my scratch, é"],
    ids=["missing", "unusual"],
)
def test_the_scratch_folder_is_the_one_named_or_said_to_be_missing(
    small: Submitting, scratch: str
) -> None:
    small.run("mkdir -p ~/'my scratch, é'")
    job = small.submit(JOB_SCRATCH=scratch)
    said = done(small, job)
    if "no-such" in scratch:
        assert f"JOB_SCRATCH is {scratch}, which is not a writable folder on node1" in said
        assert "in /srv/scratch/" in said
    else:
        assert f"in {scratch}/reproduce-{job}." in said
        assert small.run("ls ~/'my scratch, é'") == ""
    merged(small, job)


def test_a_shared_cache_is_used_where_the_clone_names_one(small: Submitting) -> None:
    small.run("mkdir ../shared-cache && dvc cache dir --local ../shared-cache")
    job = small.submit()
    done(small, job)
    assert list((small.root.parent / "shared-cache").glob("files/md5/*/*"))
    small.run(f"git merge -q slurm/{job} && bucket serve --stop && dvc checkout && bucket serve")
    assert small.run("cat second/first.txt; rm -r ../shared-cache") == "2\n"


def test_outside_a_clone_the_job_says_so(small: Submitting) -> None:
    job = small.node.submit(
        f"--output={small.place}/slurm-%j.out {small.place}/cluster/reproduce.sbatch", "/srv/home"
    )
    assert small.node.wait(job) == "FAILED"
    assert "/srv/home is not in a clone" in small.log(job)


def test_no_key_is_in_a_log_the_spool_or_a_process_list(small: Submitting) -> None:
    keys = [
        line.partition("=")[2]
        for line in (small.root / ".env").read_text().splitlines()
        if line.startswith("OS_") and "KEY" in line
    ]
    small.run("touch ~/wait")
    job = small.submit()
    wait_for(small, job, "Running stage 'second'")
    spool = small.node.as_root(
        "grep -rlaF -e " + " -e ".join(keys) + " /var/spool /var/log || true"
    )
    listed = small.node.as_root("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    files = small.node.as_root("grep -rlF -e " + " -e ".join(keys) + " /srv/scratch || true")
    small.run("rm ~/wait")
    said = done(small, job)
    assert (spool, files) == ("", "")
    assert not any(key in listed + said for key in keys)
