"""What `access.py` asks, and how one way answers in a process of its own."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from access_data import PUBLISHED
from measuring import Bed, Traffic

from dvc_bucket import Settings

#: Three of the 24 columns; two years of numbers are in order, delays are not.
THREE = ("number", "arr_delay", "distance")
DELAYS = ("dep_delay", "carrier", "distance")


@dataclass(frozen=True)
class Question:
    """What is to be read.

    Attributes:
        name: of a table or a folder; tracked by that name, and published.
        columns: None for all.
        limits: a column, and the least and the first too large of the values that are wanted; None
            for all rows.
    """

    name: str
    columns: tuple[str, ...] | None = None
    limits: tuple[str, float, float] | None = None

    @property
    def is_packed(self) -> bool:
        """Shards of files, not the files."""
        return self.name.endswith("packed")

    @property
    def is_folder(self) -> bool:
        """Not one file."""
        return not self.name.endswith(".parquet")

    def prefix(self, settings: Settings) -> str:
        """Where it is published, without the scheme."""
        return f"{settings.bucket_name}/{PUBLISHED}/{self.name}"

    def expression(self) -> Any:
        """The rows for pyarrow."""
        import pyarrow.dataset as ds

        if not self.limits:
            return None
        name, low, high = self.limits
        return (ds.field(name) >= low) & (ds.field(name) < high)

    def filters(self) -> list[tuple[str, str, float]] | None:
        """The rows for pandas."""
        if not self.limits:
            return None
        name, low, high = self.limits
        return [(name, ">=", low), (name, "<", high)]


class Result(NamedTuple):
    """Of one process."""

    seconds: float
    cpu_seconds: float
    rows: int
    peak_mb: float
    traffic: Traffic


def questions(name: str, rows: int) -> dict[str, Question]:
    """What is asked of a table of so many rows; of images, all of them."""
    if name.startswith("images"):
        return {"all": Question(name)}
    low, share = rows * 9 // 20, rows // 20  # whole numbers: a fraction would hide the order
    return {
        "full": Question(name),
        "3 of 24 columns": Question(name, THREE),
        "5 %, sorted": Question(name, THREE, ("number", low, low + share)),
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
        [sys.executable, str(program), way, json.dumps(asdict(question)), str(folder)],
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
