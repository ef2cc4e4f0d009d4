"""What `access.py` asks, and how one way answers in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from access_ways import Question, asked
from measuring import Bed, Traffic

#: Three of the 24 columns; two years of numbers are in order, delays are not.
THREE = ("number", "arr_delay", "distance")
DELAYS = ("dep_delay", "carrier", "distance")


class Result(NamedTuple):
    """Of one process."""

    seconds: float
    rows: int
    peak_mb: float
    traffic: Traffic


def questions(name: str, rows: int) -> dict[str, Question]:
    """What is asked of a table of so many rows; of images, all of them."""
    if name.startswith("images"):
        return {"all": Question(name)}
    low = rows * 0.45
    return {
        "full": Question(name),
        "3 of 24 columns": Question(name, THREE),
        "5 %, sorted": Question(name, THREE, ("number", low, low + rows * 0.05)),
        "5 %, unsorted": Question(name, DELAYS, ("dep_delay", 74, 10_000)),
    }


def ask(
    bed: Bed, way: str, question: Question, endpoint: str, scratch: Path | None = None
) -> Result:
    """Run one way once, from the folder of the project; its files go to a folder, and are kept."""
    bed.go_to(endpoint, "project")
    folder = scratch or bed.scratch()
    program = Path(__file__).with_name("access_ways.py")
    done = subprocess.run(
        [sys.executable, str(program), way, asked(question), str(folder)],
        cwd=bed.project.root,
        env=bed.environment(endpoint),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{way}, {question}: {done.stderr[-2000:]}")
    if not scratch:
        bed.empty(folder)
    return Result(**json.loads(done.stdout), traffic=Traffic(0, 0))
