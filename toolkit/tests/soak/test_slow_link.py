"""A short version of the benchmark of slow links runs, and writes a section with every case."""

import subprocess
import sys
from pathlib import Path

from tests import TESTS_ROOT

CASES = ("1 x 500 MB, no limit", "1 x 500 MB", "250 x 2 MiB", "10,000 x 4 KiB")


def test_a_short_version_writes_its_section(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\n## First\n\nKept.\n")
    script = TESTS_ROOT / "benchmarks" / "slow_link.py"
    options = ("--rounds", "1", "--scale", "0.004", "--delay", "20", "--output", results)
    done = subprocess.run(
        [sys.executable, script, *options], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    text = results.read_text()
    assert text.index("Kept.") < text.index("## A slow link")
    titles = [line.removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]
    assert titles == [*CASES, "10,000 x 4 KiB, packed"]
    rows = [line.split(" | ")[:2] for line in text.splitlines() if line.startswith("| pu")]
    pairs = [[f"| {word}", tool] for word in ("push", "pull") for tool in ("bucket", "s5cmd")]
    assert rows == pairs * len(titles)
    assert "times as fast" in text
