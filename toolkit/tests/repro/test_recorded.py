"""What stays recorded when a process is killed, a stage fails, or another stage is recorded."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from dvc_bucket.dvc.lock import splice
from tests.patched.small_repos import Small

#: Entries of the lock file of the killed children.
ENTRIES = 150


def entries_after_kills(folder: Path, rounds: int, way: str) -> set[int]:
    """How many entries the file had after each child was killed."""
    lock = folder / "dvc.lock"
    stages = "".join(f"  s{number}:\n    cmd: echo\n" for number in range(ENTRIES))
    lock.write_text(splice.HEAD + stages)
    done = subprocess.run(
        [sys.executable, "-m", "tests.repro.killed", lock, str(rounds), way],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = [int(line) for line in done.stdout.splitlines() if line.isdigit()]
    assert len(counts) == rounds
    return set(counts)


def test_a_killed_process_leaves_every_entry(tmp_path: Path) -> None:
    assert entries_after_kills(tmp_path, 10, "ours") == {ENTRIES}


def test_numbers_in_other_entries_keep_their_digits() -> None:
    text = splice.HEAD + "  one:\n    cmd: a\n    params:\n      p: 1.2345678901234567e-05\n"
    entry = splice.rendered({"two": {"cmd": "b"}})
    assert splice.put(splice.split(text), [entry]).text == f"{text}  two:\n    cmd: b\n"


def test_what_finished_stays_ignored_by_git_when_a_later_stage_fails(
    repo: Callable[..., Small],
) -> None:
    flow = """
        stages:
          good: {cmd: echo good > good.txt, outs: [good.txt]}
          bad: {cmd: "false", deps: [good.txt], outs: [bad.txt]}
    """
    small = repo(**{"dvc.yaml": flow})
    command = [sys.executable, "-m", "dvc_bucket.dvc.process", "repro"]
    assert small.run(*command, check=False).returncode == 255
    assert "/good.txt\n" in (small.root / ".gitignore").read_text()
