"""Two commands at once in one clone: the second waits, however long the first takes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.dvc import hashes
from tests.bucket.store_tools import BUCKET

#: Longer than DVC's own patience of three seconds.
SECONDS = 4

#: Its stage runs until there is a file `go`.
PIPELINE = """\
stages:
  slow:
    cmd: echo x >> runs; while [ ! -e go ]; do sleep 0.1; done; echo done > slow.txt
    outs:
    - slow.txt
"""

#: Holds the lock of the clone for so many seconds, and says when it begins.
HOLDER = (
    "import sys, time, zc.lockfile\n"
    "lock = zc.lockfile.LockFile(sys.argv[1])\n"
    "print('held', flush=True)\n"
    "time.sleep(float(sys.argv[2]))\n"
)


@pytest.fixture
def clone(project: Project) -> Path:
    create_env(project)
    (project.root / ".dvc" / "tmp").mkdir(exist_ok=True)
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)
    return project.root


def start(clone: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [BUCKET, "dvc", *words],
        cwd=clone,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_one_that_finds_the_clone_locked_waits(clone: Path) -> None:
    lock = clone / ".dvc" / "tmp" / "lock"
    words = [sys.executable, "-c", HOLDER, str(lock), str(SECONDS)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with start(clone, "checkout") as other:
            said, _ = other.communicate(timeout=60)
        assert other.returncode == 0, said
        assert holder.poll() == 0  # it was waited for


def test_two_runs_of_a_stage_follow_each_other_and_it_runs_once(clone: Path) -> None:
    (clone / "dvc.yaml").write_text(PIPELINE)
    with start(clone, "repro") as first:
        deadline = time.monotonic() + 30
        while not (clone / "runs").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with start(clone, "repro") as second, start(clone, "status") as status:
            said = [until_it_waits(each) for each in (second, status)]
            time.sleep(SECONDS)
            (clone / "go").touch()
            said += [each.communicate(timeout=90)[0] for each in (first, second, status)]
    assert [each.returncode for each in (first, second, status)] == [0, 0, 0], said
    assert (clone / "runs").read_text() == "x\n"
    assert (clone / "slow.txt").read_text() == "done\n"


def test_one_that_runs_after_it_waited_is_recorded(clone: Path) -> None:
    """By its own result: it had read the stage before the other recorded it."""
    (clone / "dvc.yaml").write_text(PIPELINE.replace("echo done >", "cat runs >"))
    with start(clone, "repro") as first:
        deadline = time.monotonic() + 30
        while not (clone / "runs").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with start(clone, "repro", "--force") as second:
            until_it_waits(second)
            (clone / "go").touch()
            said = [each.communicate(timeout=90)[0] for each in (first, second)]
    assert [each.returncode for each in (first, second)] == [0, 0], said
    assert (clone / "slow.txt").read_text() == "x\nx\n"
    assert hashes.of_bytes(b"x\nx\n") in (clone / "dvc.lock").read_text()


def until_it_waits(command: subprocess.Popen[str]) -> str:
    """What a command says up to the line that it waits."""
    assert command.stdout
    said = ""
    while "Waiting: " not in said:
        line = command.stdout.readline()
        assert line, said
        said += line
    return said
