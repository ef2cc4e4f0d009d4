"""A job is cancelled half-way and submitted again. More: tests/soak/template/test_slurm.py."""

import shutil
import subprocess

import pytest

from tests.cluster.clone import Submitting, wait_for
from tests.cluster.fixtures import slurm  # noqa: F401 (a fixture)
from tests.cluster.node import SlurmNode
from tests.end_to_end.clones import REPOSITORY
from tests.end_to_end.slurm_small import make_small


@pytest.fixture(scope="module")
def small(slurm: SlurmNode) -> Submitting:  # noqa: F811
    return make_small(slurm)


def test_a_cancelled_job_leaves_nothing_behind_and_the_next_one_goes_on_there(
    small: Submitting,
) -> None:
    small.run("touch ~/wait")
    cancelled = small.submit()
    wait_for(small, cancelled, "Running stage 'second'")
    small.run(f"scancel {cancelled}")
    assert small.node.wait(cancelled) == "CANCELLED"
    assert "Sent. Submit the job again" in small.log(cancelled)
    assert small.left_behind() == []
    assert small.run("git status --porcelain; git branch --list 'slurm/*'") == ""

    small.run("rm ~/wait")
    again = small.submit()
    assert small.node.wait(again) == "COMPLETED", small.log(again)
    assert small.left_behind() == []
    # The first stage ran in the first job alone; the second in the second.
    assert small.run("cat ~/first-ran") == "ran\n"
    assert "Stage 'first' is cached" in small.log(again)
    # The results are a branch; what is checked out was not touched.
    assert small.run("git status --porcelain; ls -d dvc.lock second 2>/dev/null || true") == ""
    small.run(f"git merge -q slurm/{again} && bucket pull -q")
    assert small.run("cat first.txt second/first.txt") == "2\n2\n"
    assert small.run("git status --porcelain") == ""


def test_a_job_without_good_keys_says_so_in_a_sentence(small: Submitting) -> None:
    wrong = "not-the-secret-of-this-store"
    job = small.submit(OS_SECRET_ACCESS_KEY=wrong)
    assert small.node.wait(job) == "FAILED"
    said = small.log(job).splitlines()[-1]
    assert said.startswith("The job ends here: ")
    assert "Check OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY" in said
    assert wrong not in small.log(job)
    assert small.left_behind() == []


def test_a_job_runs_what_is_committed_and_says_what_is_not(small: Submitting) -> None:
    (small.root / "words.txt").write_text("one\ntwo\nthree\n")
    job = small.submit()
    assert small.node.wait(job) == "FAILED"
    assert "have uncommitted changes (words.txt, 1 in all)" in small.log(job)
    small.run("git checkout -q words.txt")


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_the_scripts_are_clean_shell() -> None:
    scripts = [*REPOSITORY.glob("cluster/*.sh"), *REPOSITORY.glob("cluster/*.sbatch")]
    scripts += [REPOSITORY / "toolkit/tests/cluster/node.sh", REPOSITORY / ".ci/run"]
    done = subprocess.run(
        ["shellcheck", "--external-sources", *scripts],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
