"""`bucket repro --slurm` on a real Slurm: each stage is a job, and its results are DVC's own."""

import os
import re
import signal
import time

import pytest

from tests.cluster.clone import Submitting
from tests.repro.submitted import (
    ended,
    folders,
    jobs,
    pid_of_run,
    repro,
    small_ones,
    started,
    wait_for,
    waiting_small_ones,
)


def test_each_stage_is_a_job_with_what_its_meta_says(clone: Submitting) -> None:
    done = repro(clone, "c")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("is Slurm job") == 4
    assert "from a\n" in done.stdout
    assert "2 c.txt\n" in done.stdout
    assert (clone.root / "c.txt").read_text() == "node1\n1\n"
    assert folders(clone) == []
    assert clone.run("dvc status c") == "Data and pipelines are up to date.\n"
    ours = (clone.root / "dvc.lock").read_text()
    # DVC has no order of its own for a and b: it changes with PYTHONHASHSEED.
    order = re.findall(r"^  (\w+):$", ours, re.MULTILINE)
    assert sorted(order) == ["a", "b", "c"]
    one_by_one = "; ".join(f"SLURM_CPUS_PER_TASK=1 dvc repro -q -s {name}" for name in order)
    clone.run(f"rm dvc.lock a.txt b.txt c.txt; {one_by_one}")
    assert (clone.root / "dvc.lock").read_text() == ours


def test_a_stage_that_fails_gives_its_output_and_its_status(clone: Submitting) -> None:
    done = repro(clone, "wrong")
    assert done.returncode == 255
    assert "no luck" in done.stdout
    assert "exited with 7" in done.stderr


def test_a_job_that_slurm_refuses_says_why(clone: Submitting) -> None:
    done = repro(clone, "--force --single-item --partition nowhere a")
    assert done.returncode == 255
    assert "`sbatch` failed" in done.stderr
    assert "invalid partition" in done.stderr
    assert (clone.root / "dvc.lock").exists()


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGHUP])
def test_a_lost_login_ends_no_job_and_the_next_run_follows_it(
    clone: Submitting, sent: signal.Signals
) -> None:
    pid = started(clone)
    os.kill(pid, sent)
    ended(pid)
    assert jobs(clone) == "RUNNING\n"
    following = clone.root / "following.log"
    clone.run("true; setsid bucket repro --slurm c >following.log 2>&1 & true")
    wait_for(following)
    time.sleep(3)
    assert jobs(clone) == "RUNNING\n"
    (clone.root / "wait").unlink()
    wait_for(clone.root / "c.txt", 60, following)
    deadline = time.monotonic() + 60
    while folders(clone):
        assert time.monotonic() < deadline, following.read_text()
        time.sleep(0.1)
    assert "Stage 'a' is Slurm job" not in following.read_text()
    assert "from a" in following.read_text()
    assert (clone.root / "b.log").read_text() == "ran\n"
    assert clone.run("dvc status c") == "Data and pipelines are up to date.\n"


def test_a_job_that_ends_while_nobody_looks_is_taken_unless_its_output_was_changed(
    clone: Submitting,
) -> None:
    for change, taken in (("true", True), ("echo edited > a.txt", False)):
        pid = started(clone)
        os.kill(pid, signal.SIGKILL)
        ended(pid)
        (clone.root / "wait").unlink()
        wait_for(clone.root / "a.txt")
        while jobs(clone):
            time.sleep(0.1)
        time.sleep(0.1)
        clone.run(change)
        done = repro(clone, "c")
        assert done.returncode == 0, done.stderr
        assert ("Stage 'a' is Slurm job" not in done.stdout) is taken
        assert (clone.root / "a.txt").read_text() == "node1\n"


def test_a_job_whose_inputs_have_changed_since_is_ended(clone: Submitting) -> None:
    """It would write the outputs of the job that takes its place."""
    pid = started(clone)
    os.kill(pid, signal.SIGKILL)
    ended(pid)
    numbers = "squeue --noheader --states=running --format=%i"
    (left,) = clone.run(numbers).split()
    (clone.root / "words.txt").write_text("changed\n")
    clone.run("true; setsid bucket repro --slurm c >run.log 2>&1 & true")
    deadline = time.monotonic() + 60
    while "Stage 'a' is Slurm job" not in (clone.root / "run.log").read_text():
        assert time.monotonic() < deadline, (clone.root / "run.log").read_text()
        time.sleep(0.1)
    assert left not in clone.run(numbers).split()
    (clone.root / "wait").unlink()
    while folders(clone):
        assert time.monotonic() < deadline, (clone.root / "run.log").read_text()
        time.sleep(0.1)
    assert clone.run("dvc status c") == "Data and pipelines are up to date.\n"


def test_of_two_commands_the_first_does_not_run_beside_the_second(clone: Submitting) -> None:
    """The job of the second one goes on and writes outputs after the first one's job has ended."""
    (clone.root / "wait").touch()
    clone.run("true; setsid bucket repro --slurm two >run.log 2>&1 & true")
    wait_for(clone.root / "two.txt", 60, clone.root / "run.log")
    pid = pid_of_run(clone)
    os.kill(pid, signal.SIGKILL)
    ended(pid)
    clone.run("true; setsid bucket repro --slurm two >run.log 2>&1 & true")
    wait_for(clone.root / "run.log")
    time.sleep(3)
    (clone.root / "wait").unlink()
    deadline = time.monotonic() + 60
    while folders(clone):
        assert time.monotonic() < deadline, (clone.root / "run.log").read_text()
        time.sleep(0.1)
    assert (clone.root / "two.log").read_text() == "one\n"
    assert (clone.root / "two.txt").read_text() == "node1\n"


def test_ctrl_c_ends_the_jobs_and_keeps_what_is_done(clone: Submitting) -> None:
    pid = started(clone)
    os.kill(pid, signal.SIGINT)
    ended(pid)
    assert jobs(clone) == ""
    (clone.root / "wait").unlink()
    done = repro(clone, "c")
    assert done.returncode == 0
    assert "Stage 'a' is Slurm job" in done.stdout


def test_a_job_that_slurm_ends_is_named_with_its_state(clone: Submitting) -> None:
    """In a group, the stage that ran fails, and the next one gets a new job."""
    waiting_small_ones(clone, "-k small@1 small@2 a")
    deadline = time.monotonic() + 60
    while len(scripts := [
        process
        for process in clone.node.processes()
        if any("slurm_script" in word for word in process.info["cmdline"])
    ]) < 2:  # fmt: skip
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for process in scripts:
        process.kill()
    log = clone.root / "run.log"
    deadline = time.monotonic() + 100
    while log.read_text().count("left no exit status") < 2 or len(small_ones(clone)) < 2:
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    (clone.root / "wait").unlink()
    (first, job), (second, next_job) = small_ones(clone)
    wait_for(clone.root / f"small-{second[-1]}.txt")
    assert {first, second} == {"small@1", "small@2"}
    assert job != next_job
    assert f"(stage {first})" in log.read_text()
    assert f"(stage {second})" not in log.read_text()


def test_where_jobs_cannot_be_submitted_the_way_is_named(clone: Submitting) -> None:
    line = """mkdir -p ~/bin && ln -sf $(command -v git) ~/bin/git && rm -f wait &&
        PATH=$(dirname $(command -v bucket)):~/bin bucket repro --slurm -f a"""
    done = clone.node.run(line, clone.place)
    assert done.returncode == 255
    assert "is not on the PATH. Use --slurm where" in done.stderr


def test_plain_dvc_submits_nothing_and_runs_nothing_here(clone: Submitting) -> None:
    done = clone.node.run("bucket repro --slurm -f a", clone.place, BUCKET_FAST="0")
    assert done.returncode == 1
    assert "does the work" in done.stderr
    assert "It cannot submit jobs" in done.stderr


def test_options_without_their_job_are_wrong_usage(clone: Submitting) -> None:
    for words in ("--partition main", "--sbatch=--time=1"):
        assert clone.node.run(f"bucket repro {words}", clone.place).returncode == 2
    assert repro(clone, '--sbatch="\'" c').returncode == 2
