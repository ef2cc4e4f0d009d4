"""Short versions of the benchmarks run, and say what they are to."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import TESTS_ROOT


def test_a_short_version_runs_and_writes_its_section(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text(
        "# Results\n\n## First\n\nKept.\n\n## Moving data\n\nOld.\n\n## Last\n\nKept.\n"
    )
    done = subprocess.run(
        [
            *(sys.executable, TESTS_ROOT / "benchmarks" / "transfer.py"),
            *("--rounds", "1", "--cases", "a", "--scale", "0.002", "--delays", "5"),
            *("--tools", "bucket,s5cmd", "--output", results),
        ],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = results.read_text()
    assert text.count("Kept.") == 2
    assert "Old." not in text
    assert text.index("## First") < text.index("## Moving data") < text.index("## Last")
    assert "### 10,000 x 4 KiB, 5 ms away" in text
    rows = [line for line in text.splitlines() if line.startswith("| p")]
    assert [row.split(" | ")[:2] for row in rows] == [
        ["| push", "bucket"],
        ["| push", "s5cmd"],
        ["| pull", "bucket"],
        ["| pull", "s5cmd"],
        ["| pull again", "bucket"],
    ]


def test_sizes_are_measured_and_every_way_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("polars", reason="`make -C toolkit bench` installs polars and duckdb")
    results, measured = tmp_path / "RESULTS.md", tmp_path / "measured.jsonl"
    for sizes in ("1", "2"):  # one at a time, into the same tables
        done = subprocess.run(
            [
                *(sys.executable, TESTS_ROOT / "benchmarks" / "scale.py", "--rounds", "1"),
                *("--sizes", sizes, "--results", measured, "--output", results),
            ],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    text = results.read_text()
    assert "### 1 x: 336,776 flights, rounds: 1" in text
    assert "### 2 x: 673,552 flights, rounds: 1" in text
    assert "| features | duckdb | 2 x over 1 x |" in text


def test_many_stages_are_run_by_each_tool(tmp_path: Path) -> None:
    pytest.importorskip("snakemake", reason="`make -C toolkit bench` installs snakemake")
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\n## Many stages\n\nOld.\n")
    done = subprocess.run(
        [
            *(sys.executable, TESTS_ROOT / "benchmarks" / "repro.py", "--rounds", "1"),
            *("--most", "10", "--output", results),
        ],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = results.read_text()
    assert "Old." not in text
    assert "| stages | bucket | dvc | make | snakemake | bucket / fastest |" in text
    assert text.count(" at a time | ") == 3


def test_words_and_stages_are_measured(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\n## Start, and many stages\n\nOld.\n")
    done = subprocess.run(
        [
            *(sys.executable, TESTS_ROOT / "benchmarks" / "start.py", "--rounds", "1"),
            *("--most", "10", "--output", results),
        ],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = results.read_text()
    assert "Old." not in text
    assert text.count("| `bucket ") == 8
