"""Short versions of the benchmarks run, and say what they are to."""

import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dvc_bucket import Project
from dvc_bucket.base import ports
from dvc_bucket.connection.env_file import create_env, set_endpoint
from dvc_bucket.store.server import Server
from tests import TESTS_ROOT

#: A tiny run of each script, and a part of what it has to write. Others have tests of their own.
SHORT = {
    "access.py": (
        ("--rounds=1", "--scale=0.01", "--delays=0", "--tables=large.parquet", "--ways=polars"),
        "## Reading large.parquet",
    ),
    "access_advice.py": (("--scale=0.01", "--delays=0", "--tables=large.parquet"), "## Advice"),
    "check.py": (("--rounds=1", "--cases=3x1"), "| 3, 1 at a time |"),
    "faults.py": (
        ("--rounds=1", "--scale=0.01", "--weather=200 ms", "--tools=bucket,s5cmd"),
        "| 200 ms | pull | bucket | 1 of 1 |",
    ),
    "lfs.py": (("--rounds=1", "--scale=0.004"), "### Git LFS: 1 x 300 MB"),
    "main_job.py": (("--rounds=1",), "| nothing to do |"),
}

BENCHMARKS = TESTS_ROOT / "benchmarks"

#: What the benchmark of transfers does, and which of it plain copies cannot.
OPERATIONS = (
    *("push", "push again", "pull", "pull again", "status", "status -c"),
    *("one more: add", "one more: push"),
)
OF_DVC = {"status", "status -c", "one more: add"}


def run(script: Path, results: Path, *arguments: str) -> str:
    """The file of results after a benchmark."""
    done = subprocess.run(
        [sys.executable, script, *arguments, "--output", results],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return results.read_text()


@pytest.mark.parametrize("script", SHORT)
def test_each_runs_short(script: str, tmp_path: Path) -> None:
    if script == "lfs.py" and not shutil.which("git-lfs"):
        pytest.skip("git-lfs is not installed")
    if script.startswith("access"):
        pytest.importorskip("polars", reason="`make -C toolkit bench` installs polars and duckdb")
    arguments, expected = SHORT[script]
    assert expected in run(BENCHMARKS / script, tmp_path / "RESULTS.md", *arguments)


def test_the_stages_are_measured(tmp_path: Path) -> None:
    root = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", TESTS_ROOT.parent, root], check=True)
    project = Project(root)
    create_env(project)
    set_endpoint(project, f"http://127.0.0.1:{ports.free_ports(1)[0]}")
    Server(project).start()
    try:
        subprocess.run([sys.executable, "src/pipeline/publish.py"], cwd=root, check=True)
        script = root / "toolkit" / "benchmarks" / "stages.py"
        assert "| all (memory: the largest) |" in run(script, tmp_path / "R.md", "--rounds=1")
    finally:
        Server(project).stop()


def test_growth_is_fitted_and_drawn(tmp_path: Path) -> None:
    results, picture = tmp_path / "RESULTS.md", tmp_path / "growth.svg"
    head = "| operation | tool | wall, s |\n| --- | --- | --- |\n"
    sizes = {10_000: 1.0, 100_000: 20.0}
    results.write_text(
        "# Results\n\n## Moving data\n\n"
        + "".join(
            f"### {size:,} x 4 KiB\n\n{head}| push | bucket | {wall} (1.00\N{EN DASH}99.00) |\n\n"
            for size, wall in sizes.items()
        )
        + "## Many stages\n\n| stages | bucket | dvc | make | snakemake | bucket / fastest |\n"
        "| 10 x trivial, 2 at a time | 1.00 | 1.00 | 0.10 | - | 10.00 |\n"
        "| 1,000 x trivial, 2 at a time | 100.00 | - | 1.00 | - | 100.00 |\n"
    )
    text = run(BENCHMARKS / "growth.py", results, "--picture", str(picture))
    assert "| push | files | bucket | 10,000 | 100,000 | 1.30 | 2.00 |" in text
    assert "| run all | stages | bucket | 10 | 1,000 | 1.00 | 1.00 |" in text
    assert "dvc |" not in text.partition("## Growth")[2]
    assert text.count("](growth.svg)") == 1
    first = picture.read_bytes()
    assert ElementTree.fromstring(first).tag.endswith("svg")
    assert run(BENCHMARKS / "growth.py", results, "--picture", str(picture)) == text
    assert picture.read_bytes() == first


def test_a_short_version_runs_and_writes_its_section(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text(
        "# Results\n\n## First\n\nKept.\n\n## Moving data\n\nOld.\n\n"
        "### 10,000 x 4 KiB, 5 ms away\n\nOld.\n\n### Another\n\nKept.\n\n## Last\n\nKept.\n"
    )
    arguments = ("--rounds=2", "--cases=a", "--scale=0.002", "--delays=5", "--tools=bucket,s5cmd")
    text = run(BENCHMARKS / "transfer.py", results, *arguments)
    assert text.count("Kept.") == 3
    assert "Old." not in text
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        *("# Results", "## First", "## Moving data", "### 10,000 x 4 KiB, 5 ms away"),
        *("### Another", "## Last"),
    ]
    assert f"`python benchmarks/transfer.py {' '.join(arguments)}`" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert [tuple(row.strip("| ").split(" | ")[:2]) for row in rows] == [
        (operation, tool)
        for operation in OPERATIONS
        for tool in ("bucket", "s5cmd")
        if tool == "bucket" or operation not in OF_DVC
    ]


def test_sizes_are_measured_and_every_way_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("polars", reason="`make -C toolkit bench` installs polars and duckdb")
    results, measured = tmp_path / "RESULTS.md", tmp_path / "measured.jsonl"
    for sizes in ("1", "2"):  # one at a time, into the same tables
        words = ("--rounds=1", f"--sizes={sizes}", f"--results={measured}")
        text = run(BENCHMARKS / "scale.py", results, *words)
    assert "### 1 x: 336,776 flights, rounds: 1" in text
    assert "### 2 x: 673,552 flights, rounds: 1" in text
    assert "| features | duckdb | 2 x over 1 x |" in text


def test_many_stages_are_run_by_each_tool(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\n## Many stages\n\nOld.\n")
    text = run(
        BENCHMARKS / "repro.py", results, "--rounds=1", "--most=10", "--tools=bucket,dvc,make"
    )
    assert "Old." not in text
    assert "| stages | bucket | dvc | make | snakemake | bucket / fastest |" in text
    assert text.count(" at a time | ") == 3


def test_words_and_stages_are_measured(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\n## Start, and many stages\n\nOld.\n")
    text = run(BENCHMARKS / "start.py", results, "--rounds=1", "--most=10")
    assert "Old." not in text
    assert text.count("| `bucket ") == 9
