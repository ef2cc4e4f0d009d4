"""A sweep that is killed again and again ends with every experiment, and with none twice."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from tests.bucket.git_tools import TOOLS, Repo, environment
from tests.repro.test_experiments import exp_run, project

#: Experiments of the sweep, and how often the command is killed.
EXPERIMENTS, KILLS = 12, 10


def test_a_killed_sweep_loses_no_experiment(tmp_path: Path) -> None:
    chance = random.Random(seed := int(time.time()))
    print(f"seed {seed}")
    repo, variables = project(tmp_path), {"RUNS": str(tmp_path / "runs")}
    values = [number for number in range(EXPERIMENTS + 1) if number != 2]  # 2 is the one that fails
    sweep = f"train.seed={','.join(map(str, values))}"
    assert exp_run(repo, "-S", sweep, "--queue", "--name", "k", env=variables).returncode == 0
    for _ in range(KILLS):
        kill(repo, variables, chance.uniform(0.5, 6.0))
    done = exp_run(repo, "--run-all", "--jobs", "3", env=variables)
    assert done.returncode == 0, done.stderr
    names = repo.run(TOOLS / "dvc", "exp", "list", "--name-only").stdout.split()
    assert sorted(names) == sorted(f"k-{number + 1}" for number in range(len(values)))
    assert "No experiment tasks in the queue." in repo.run(TOOLS / "dvc", "queue", "status").stdout


def kill(repo: Repo, variables: dict[str, str], seconds: float) -> None:
    """Run the queue, and kill the command and its experiments after so many seconds."""
    process = subprocess.Popen(
        [TOOLS / "bucket", "exp", "run", "--run-all", "--jobs", "3"],
        cwd=repo.root,
        env={**environment(), **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.kill()
    process.wait()
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if os.fsencode(repo.root / ".dvc/tmp/exps/bucket/run") in file.read_bytes():
                os.killpg(int(file.parent.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue
