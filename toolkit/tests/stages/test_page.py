"""The stage that docs/stages.md shows, as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from dvc_bucket.base.kernels import pins
from dvc_bucket.stages import read_parquet
from tests import TESTS_ROOT
from tests.stages.stage_tools import one_line_failure

PAGE = (TESTS_ROOT / "docs" / "stages.md").read_text(encoding="utf-8")
CODE = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
IMPORTS = (
    "from functools import partial\nfrom typing import NamedTuple\n"
    "from dvc_bucket.stages import map_partitions, resumable, unfinished\n"
)
SHELL = '\n\nif __name__ == "__main__":\n    run_stage(main)\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with measurements of two days, one of them with too few."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    (tmp_path / "params.yaml").write_text("daily_means:\n  min_count: 12\n")
    hours = pd.date_range("2020-01-01", periods=30, freq="h")
    measured = pd.DataFrame({"time": hours, "kelvin": range(270, 300)})
    (tmp_path / "measured").mkdir()
    measured.to_parquet(tmp_path / "measured" / "january.parquet")
    return tmp_path


def run(folder: Path, code: str, *words: str) -> subprocess.CompletedProcess[str]:
    script = folder / "daily_means.py"
    script.write_text(code)
    return subprocess.run(
        [sys.executable, str(script), *words],
        cwd=folder,
        env=os.environ | pins(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("code", "source", "output", "made"),
    [
        (CODE[0], "measured/january.parquet", "daily.parquet", "daily.parquet"),
        (
            IMPORTS + CODE[0].replace(SHELL.lstrip(), "") + CODE[1] + SHELL,
            *("measured", "daily", "daily/january.parquet"),
        ),
    ],
)
def test_the_stage_of_the_page_runs(
    folder: Path, code: str, source: str, output: str, made: str
) -> None:
    done = run(folder, code, source, output)
    assert (done.returncode, done.stderr) == (0, "")
    days = read_parquet(folder / made)
    assert days["day"].dt.strftime("%Y-%m-%d").tolist() == ["2020-01-01"]
    assert days["kelvin"].tolist() == [281.5]


def test_the_fault_of_the_page_is_what_a_person_sees(folder: Path) -> None:
    (folder / "params.yaml").write_text("daily_means:\n  min_count: 0\n")
    failed = run(folder, CODE[0], "measured/january.parquet", "daily.parquet")
    assert one_line_failure(failed) in PAGE
