"""One size of the data for `scale.py`: its tables, every way to make them, and that they agree."""

import importlib
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pandas as pd
import pyarrow.dataset as ds
from distributed import Client
from pipeline.publish import package_files
from pipeline.raw import FILES
from pipeline.schemas import KEY
from ruamel.yaml import YAML
from stages import Cost, run

from dvc_bucket import file_sha256
from dvc_bucket.base import ports
from dvc_bucket.base.kernels import pins
from dvc_bucket.stages import read_parquet
from dvc_bucket.stages.executors import SCHEDULER, WORKERS
from dvc_bucket.stages.outputs import remove

ROOT = Path(__file__).parents[1]

STAGES = ("clean", "features")

#: What is measured beside them, of our ways: a stage that has nothing to do.
START = "start"

ONE, TWO, DASK = "1 process", "2 processes", "Dask, 2 workers"

#: The stages' ways, and their processes.
OURS = {ONE: "1", TWO: "2", DASK: "2"}

#: As cluster/dask.sbatch has it, where the reasons are.
CLUSTER = {
    "DASK_CONFIG": str(ROOT / "cluster" / "dask.yaml"),
    "MALLOC_TRIM_THRESHOLD_": "67108864",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
}

#: Months of which every value is compared with the peers'.
COMPARED = 40


class Trial:
    """One size, in a folder of its own.

    Attributes:
        folder: whose subfolders `clean` and `features` hold what the first way made.
    """

    def __init__(self, copies: int, folder: Path) -> None:
        self.folder = folder
        self.params = folder / "params.yaml"
        yaml = YAML(typ="safe", pure=True)
        content = yaml.load(ROOT / "params.yaml") | {"scale": {"copies": copies}}
        with self.params.open("w", encoding="utf-8") as file:
            yaml.dump(content, file)
        self.environment = os.environ | pins(os.environ) | {"PYTHONPATH": str(ROOT / "src")}

    def run(self, stage: str, way: str) -> Cost:
        """Run a stage one way, and hold what it made against what the first way made.

        Raises:
            ValueError: they differ.
        """
        made, first = self.folder / "made", self.folder / stage
        with ExitStack() as stack:
            environment = self.environment | {WORKERS: OURS.get(way, "1")}
            helpers: list[int] = []
            if way == DASK:
                address, helpers = stack.enter_context(cluster(environment, self.folder))
                environment |= {SCHEDULER: address}
            cost = run(self._command(stage, way, made), ROOT, environment, helpers)
        if stage == START:
            return cost
        if way not in OURS:
            compare(made, first)
        elif not first.exists():
            made.rename(first)
        elif digests(made) != digests(first):
            raise ValueError(f"{stage}, {way}: other bytes than at first")
        remove(made)
        return cost

    def flights(self) -> int:
        """How many flights `clean` wrote; none before it has run."""
        if not (self.folder / "clean").exists():
            return 0
        return int(ds.dataset(self.folder / "clean" / "flights").count_rows())

    def _command(self, stage: str, way: str, made: Path) -> str:
        if stage == START:
            return shlex.join([sys.executable, "benchmarks/scale_start.py"])
        (raw,) = {package_files()[name].parent for name in FILES.values()}
        source = raw if stage == "clean" else self.folder / "clean"
        if way in OURS:
            script: list[str | Path] = [f"src/pipeline/{stage}.py", source, made, "--params"]
        else:
            script = ["benchmarks/scale_ways.py", way, source, made]
        return shlex.join(map(str, [sys.executable, *script, self.params]))


@contextmanager
def cluster(environment: dict[str, str], folder: Path) -> Iterator[tuple[str, list[int]]]:
    """A Dask cluster of two workers that have the stages' modules: its address and its pids."""
    port = ports.free_ports(1)[0]
    address = f"tcp://127.0.0.1:{port}"
    # Without a dashboard the pages of a worker are served all the same, to everybody.
    where = ["--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
    commands = [
        ["scheduler", *where, "--port", str(port)],
        ["worker", address, *where, "--nworkers", "2", "--nthreads", "1"],
    ]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *command],
            cwd=folder,
            env=environment | CLUSTER,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    try:
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2)
            for stage in STAGES:  # so that no partition waits for it
                client.run(importlib.import_module, f"pipeline.{stage}")
                client.run_on_scheduler(importlib.import_module, f"pipeline.{stage}")
        yield address, [process.pid for process in started]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): file_sha256(path) for path in files}


def compare(made: Path, features: Path) -> None:
    """Hold a peer's rows against the stage's: their number, and every value of some months.

    Raises:
        ValueError: they differ.
    """
    table = ds.dataset(made)
    files = sorted(features.iterdir())
    if (found := table.count_rows()) != (wanted := ds.dataset(features).count_rows()):
        raise ValueError(f"{found} rows, not {wanted}")
    for file in some(files):
        month = read_parquet(file)
        first, last = month["scheduled"].min(), month["scheduled"].max()
        rows = table.to_table(
            filter=(ds.field("scheduled") >= first) & (ds.field("scheduled") <= last)
        ).to_pandas(date_as_object=False)
        pd.testing.assert_frame_equal(
            rows.sort_values(KEY, ignore_index=True), month, check_dtype=False, check_exact=True
        )


def some(files: Sequence[Path]) -> Sequence[Path]:
    """At most `COMPARED` of the files, evenly apart."""
    return files[:: -(-len(files) // COMPARED)]
