"""`bucket repro --slurm` on a real Slurm: the stages of a group share a job."""

import os
import signal
import time

from tests.cluster.clone import Submitting
from tests.repro.submitted import (
    ended,
    folders,
    jobs,
    pid_of_run,
    repro,
    small_ones,
    wait_for,
    waiting_small_ones,
)


def test_stages_of_a_group_share_a_job_and_a_failing_one_stops_its_own(clone: Submitting) -> None:
    done = repro(clone, "-k small@wrong after")
    assert done.returncode == 255
    assert "Stage 'after' is in Slurm job" in done.stdout
    ran = small_ones(clone)
    assert sorted(stage for stage, _ in ran) == ["after", "small@1", "small@2", "small@wrong"]
    assert ran[-1][0] == "after"
    assert len({job for _, job in ran}) == 1
    assert folders(clone) == []
    assert clone.run("dvc status after") == "Data and pipelines are up to date.\n"
    deadline = time.monotonic() + 10
    while jobs(clone):
        assert time.monotonic() < deadline, "the job waits for commands"
        time.sleep(0.1)


def test_the_job_of_a_group_goes_on_without_its_run(clone: Submitting) -> None:
    waiting_small_ones(clone, "after")
    pid = pid_of_run(clone)
    os.kill(pid, signal.SIGKILL)
    ended(pid)
    clone.run("true; setsid bucket repro --slurm after >following.log 2>&1 & true")
    wait_for(clone.root / "following.log")
    time.sleep(3)
    (clone.root / "wait").unlink()
    pid = pid_of_run(clone)
    ended(pid)
    assert clone.run("dvc status after") == "Data and pipelines are up to date.\n"
    small, (after, _) = small_ones(clone)[:-1], small_ones(clone)[-1]
    assert sorted(stage for stage, _ in small) == ["small@1", "small@2"]
    assert after == "after"
    assert len({job for _, job in small}) == 1
