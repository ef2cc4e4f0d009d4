"""Stage or stream? Measure this bucket from this machine, with the data in question, and say.

`sample` reads and fetches a part of the data in either way (`small` many files, `large` parts of
large ones), `speeds` times the bucket and the disk, `estimate` draws lines through what was
measured, `report` tells it.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow.dataset as ds

from dvc_bucket.base.paths import FAST_DISKS
from dvc_bucket.read import dataset, sources, tracked
from dvc_bucket.read.advise.estimate import Costs, lines
from dvc_bucket.read.advise.large import Blocks, Groups
from dvc_bucket.read.advise.rows import condition
from dvc_bucket.read.advise.sample import Sample
from dvc_bucket.read.advise.small import Files
from dvc_bucket.read.advise.speeds import Speeds, measured
from dvc_bucket.read.dataset import FORMATS
from dvc_bucket.read.proof import Proof
from dvc_bucket.read.tracked import Tracked

#: Files up to this mean size are units themselves.
FILE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Advice:
    """What was measured, and what follows.

    Attributes:
        path: of the data.
        folder: the disk that staging was measured with.
        files: how many there are.
        size: bytes of all files.
        touched: bytes that one streamed read takes.
        requests: that one streamed read makes, about.
        reads: how often the data is to be read.
        speeds: of the bucket and the disk.
        costs: seconds of either way, for any number of reads.
    """

    path: str
    folder: Path
    files: int
    size: int
    touched: int
    requests: int
    reads: int
    speeds: Speeds
    costs: Costs

    @property
    def way(self) -> str:
        """`stage` or `stream`."""
        staged, streamed = self.costs.staged(self.reads), self.costs.streamed(self.reads)
        return "stage" if staged < streamed else "stream"


def advise(
    path: str | Path,
    reads: int = 1,
    columns: Sequence[str] | None = None,
    where: Sequence[str] = (),
    *,
    rev: str | None = None,
    remote: str | None = None,
    folder: Path | None = None,
) -> Advice:
    """Measure for some seconds, with some 400 MB at most, and advise.

    Args:
        path: that DVC tracks, from the project's root.
        reads: how often the data is read, in all.
        columns: of a table, that are read; None for all.
        where: of a table, rows that are read, as `dep_delay > 60`; all conditions hold.
        rev: branch, tag or commit; None for the workspace.
        remote: DVC's name of the remote; None for the default one.
        folder: on the disk that would be staged to; None for $SCRATCH, $TMPDIR or /tmp.

    Raises:
        BucketError: as `open_dataset`; a condition is none, or no file is there.
    """
    tracked.find(path, rev, remote)  # loads DVC: that a process does once, whatever it reads
    start = time.perf_counter()
    found = tracked.find(path, rev, remote)
    lookup = time.perf_counter() - start
    fast = next(filter(None, map(os.environ.get, FAST_DISKS)), None)
    disk = folder or fast or tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix="bucket-advise-", dir=disk) as scratch:
        sample = _sample(found, columns, condition(where), Path(scratch))
        stream, fetch, local = lines((sample.stream, sample.fetch, sample.local), sample.steps)
        costs = Costs(
            lookup=lookup,
            stream=sample.opening + stream.seconds(sample.units),
            fetch=fetch.seconds(sample.units_to_fetch),
            local=local.seconds(sample.units),
        )
        return Advice(
            path=str(path),
            folder=Path(disk),
            files=len(found.files),
            size=sample.size,
            touched=sample.touched,
            requests=sample.requests,
            reads=reads,
            speeds=measured(found, sample, Path(scratch)),
            costs=costs,
        )


def _sample(
    found: Tracked,
    columns: Sequence[str] | None,
    rows: ds.Expression | None,
    scratch: Path,
) -> Sample:
    """A sample of what DVC tracks at a path.

    Raises:
        BucketError: as `open_dataset`.
    """
    start = time.perf_counter()
    source = sources.remote_source(Proof(found))
    kind = FORMATS.get(PurePosixPath(found.files[0].path).suffix)
    table = dataset.opened(source, found.path, columns, rows) if kind else None
    opening = time.perf_counter() - start
    sizes = [
        size or file.size or file.mean_size or 0
        for (_, _, size), file in zip(source.files, found.files, strict=True)
    ]
    if sum(sizes) <= FILE_BYTES * len(sizes):
        return Files(found, source, table, sizes, opening, scratch)
    if table is not None and kind == "parquet":
        return Groups(found, source, table, sum(sizes), opening, scratch)
    return Blocks(found, source, sizes, opening, scratch, is_csv=kind == "csv")
