"""What the tests of stages share: a small project with a stage, and a cluster of Dask."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
from distributed import LocalCluster

from dvc_bucket.base.kernels import pins
from dvc_bucket.stages import write_parquet

SMALL = Path(__file__).with_name("small")

SCHEMA = pa.schema([("n", pa.int64()), ("value", pa.float64())])

PARTS = ("a", "b", "c", "d")
ROWS = 5000


@dataclass(frozen=True)
class SmallProject:
    """A project of DVC with one stage, which maps partitions over the files of a folder."""

    root: Path

    @property
    def source(self) -> Path:
        """The folder of the stage's input: one file a partition."""
        return self.root / "source"

    @property
    def output(self) -> Path:
        """The folder that the stage makes."""
        return self.root / "output"

    @property
    def unfinished(self) -> Path:
        """The folder in which an interrupted stage keeps what it has finished."""
        return self.root / ".output.part"

    def run(self, *words: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the stage as DVC would; the words come after the folder of its input."""
        return subprocess.run(
            [sys.executable, "scale_up.py", self.source, *(words or [self.output])],
            env=os.environ | pins(os.environ) | changes,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def damage(self, part: str) -> None:
        """Replace a file of the input by one that is not Parquet."""
        (self.source / f"{part}.parquet").write_bytes(b"PAR1 no more")

    def write(self, part: str, offset: int = 0) -> None:
        """Write a file of the input."""
        begin = PARTS.index(part) * ROWS + offset
        rows = pd.DataFrame({"n": range(begin, begin + ROWS)})
        rows["value"] = rows["n"] / 7
        write_parquet(rows, SCHEMA, self.source / f"{part}.parquet")


def make_small(root: Path) -> SmallProject:
    """The project, in a new folder."""
    shutil.copytree(SMALL, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").touch()
    project = SmallProject(root)
    for part in PARTS:
        project.write(part)
    return project


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of the files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def dask_cluster(workers: int = 2) -> Iterator[str]:
    """The address of a cluster on this machine."""
    before = dict(os.environ)
    try:
        with LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster:
            _restore(before)
            yield cluster.scheduler_address
    finally:
        _restore(before)


def _restore(environment: dict[str, str]) -> None:
    """Undo that a cluster sets numbers of threads here for a worker, whenever it starts one."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


def one_line_failure(result: subprocess.CompletedProcess[str]) -> str:
    """The message of a stage that ended as stages should: one line, no traceback, status 1."""
    assert result.returncode == 1, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr
