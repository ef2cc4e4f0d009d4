"""`bucket repro` killed at any moment, and its records compared with DVC's in many cases."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dvc_bucket.dvc.lock import entries
from dvc_bucket.stages.commands import Where, program
from tests import TESTS_ROOT
from tests.repro.flows import Step, is_up_to_date, made, run, tree
from tests.repro.forked import Forks
from tests.repro.test_recorded import ENTRIES, entries_after_kills

KILLS = 200

#: Stages of the run that is killed.
STEPS = [Step(f"s{number}", (f"s{number - 1}",) if number % 3 else ()) for number in range(12)]


def test_a_killed_writer_leaves_every_entry(tmp_path: Path) -> None:
    assert entries_after_kills(tmp_path, KILLS, "ours") == {ENTRIES}


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    """In a project where all has run before, no entry is lost; one where nothing has ends whole."""
    chance = random.Random(seed := int(time.time()))
    print(f"seed {seed}")
    with Forks() as forks:
        for number in range(KILLS // 10):
            root, plain = tmp_path / f"ours{number}", tmp_path / f"plain{number}"
            for folder in (root, plain):
                made(folder, STEPS)
            run(forks, plain, (), 0)
            kill(root, chance.uniform(0.5, 3.0))
            before = recorded(root)
            kill(root, chance.uniform(0.5, 3.0))
            assert set(before) <= set(recorded(root))
            assert run(forks, root, (), 3).status == 0
            assert tree(root) == tree(plain)
            assert is_up_to_date(forks, root)


def recorded(root: Path) -> list[str]:
    file = root / "dvc.lock"
    return list(entries.stages(entries.read(file.read_text()))) if file.exists() else []


def kill(root: Path, seconds: float) -> None:
    """Run the stages side by side, and kill DVC after so many seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", *program(Where(3)), "repro"],
        cwd=root,
        env={**os.environ, "RUNS": str(root / "runs")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    ("file", "variable", "examples"),
    [
        ("splice", "SPLICE_EXAMPLES", "4000"),
        ("plain_yaml", "SPLICE_EXAMPLES", "4000"),
        ("same_as_dvc", "FLOW_EXAMPLES", "300"),
    ],
)
def test_many_cases_are_as_dvc_has_them(file: str, variable: str, examples: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--timeout", "3600", f"tests/repro/test_{file}.py"],
        cwd=TESTS_ROOT,
        env={**os.environ, variable: examples},
        check=False,
    )
    assert done.returncode == 0
