"""A pipeline whose stages are jobs of a real Slurm, and what a person does and sees there."""

import subprocess
import time
from pathlib import Path

import psutil
import pytest

from dvc_bucket.connection.env_file import create_env
from tests.cluster.clone import Submitting
from tests.cluster.node import UID, SlurmNode
from tests.projects import make_project

#: Two stages beside each other, one after both. While there is a file `wait`, the first one waits.
FLOW = """\
stages:
  a:
    cmd: echo from a; while test -e wait; do sleep 0.1; done; hostname > a.txt
    meta: {memory: 100MB}
    outs: [a.txt]
    deps: [words.txt]
  b:
    cmd: echo ran >> b.log; echo $SLURM_CPUS_PER_TASK > b.txt
    meta: {cpus: 0.5, memory: 100MB, sbatch: "--comment='of b'"}
    outs: [b.txt]
    deps: [words.txt]
  c:
    cmd: [cat a.txt b.txt > c.txt, wc -l c.txt]
    deps: [a.txt, b.txt]
    outs: [c.txt]
  two:
    cmd:
      - echo one >> two.log
      - echo > two.txt; while test -e wait; do sleep 0.1; done; hostname > two.txt
    outs: [two.txt]
    deps: [words.txt]
  small:
    foreach: [1, 2, wrong]
    do:
      cmd: >-
        echo $DVC_STAGE $SLURM_JOB_ID >> small.log; while test -e wait; do sleep 0.1; done;
        test ${item} != wrong && cat words.txt > small-${item}.txt
      meta: {group: of small ones, cpus: 1, memory: 100MB}
      outs: ["small-${item}.txt"]
      deps: [words.txt]
  after:
    cmd: echo $DVC_STAGE $SLURM_JOB_ID >> small.log; cat small-1.txt small-2.txt > after.txt
    meta: {group: of small ones, cpus: 1, memory: 100MB}
    deps: [small-1.txt, small-2.txt]
    outs: [after.txt]
  wrong:
    cmd: echo no luck >&2; exit 7
    deps: [c.txt]
    outs: [wrong.txt]
"""


@pytest.fixture(scope="module")
def clone(slurm: SlurmNode) -> Submitting:
    """A project in the home of the node's user."""
    root = slurm.home / "of stages, é"
    create_env(make_project(root))
    (root / "dvc.yaml").write_text(FLOW)
    (root / "words.txt").write_text("one\n")
    (root / ".gitignore").write_text("/.dvc/tmp\n/.dvc/cache\n/.dvc/config.local\n/.env\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["chown", "-R", f"{UID}:{UID}", root], check=True)
    return Submitting(slurm, root, f"/srv/home/student/{root.name}")


def repro(clone: Submitting, words: str) -> subprocess.CompletedProcess[str]:
    line = f"timeout 100 bucket repro --slurm {words}"
    return clone.node.run(line, clone.place)


def pid_of_run(clone: Submitting) -> int:
    """The number of the process that is `bucket repro`, which forks each time it asks Slurm."""
    deadline = time.monotonic() + 10
    while True:
        words = {one.pid: one.info["cmdline"] or () for one in clone.node.processes()}
        found = [pid for pid, line in words.items() if "repro" in line]
        if len(found) == 1:
            return found[0]
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def folders(clone: Submitting) -> list[Path]:
    return [*(clone.root / ".dvc/tmp/bucket-slurm").glob("*")]


def started(clone: Submitting) -> int:
    """Start a run whose first stage waits; the pid of its process, once the stage is a job."""
    (clone.root / "wait").touch()
    (clone.root / "words.txt").write_text(f"{time.time()}\n")  # else DVC's run cache has results
    clone.run("rm -f b.log c.txt; setsid bucket repro --slurm c >run.log 2>&1 & echo $!")
    wait_for(clone.root / "b.log", 60, clone.root / "run.log")
    deadline = time.monotonic() + 60
    while not any(folder.joinpath("output").exists() for folder in folders(clone)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (pid,) = [
        process.pid
        for process in clone.node.processes()
        if "repro" in process.info["cmdline"] and process.info["name"] != "setsid"
    ]
    return pid


def ended(pid: int, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def jobs(clone: Submitting) -> str:
    return clone.run("squeue --noheader --format=%T")


def wait_for(path: Path, seconds: float = 60, log: Path | None = None) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, log.read_text() if log else path
        time.sleep(0.05)


def small_ones(clone: Submitting) -> list[tuple[str, str]]:
    """The stages of the group that have begun, each with the number of its job."""
    log = clone.root / "small.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(stage, job) for stage, job in map(str.split, lines)]


def waiting_small_ones(clone: Submitting, words: str) -> None:
    """Start a run in which the first stage of the group waits, and the next ones for it."""
    (clone.root / "wait").touch()
    (clone.root / "words.txt").write_text(f"{time.time()}\n")
    clone.run(f"rm -f small.log; setsid bucket repro --slurm {words} >run.log 2>&1 & true")
    wait_for(clone.root / "small.log", 60, clone.root / "run.log")
