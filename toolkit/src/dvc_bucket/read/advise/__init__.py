"""Stage or stream? Measure this bucket from this machine with a part of the data, and compute.

    seconds of staging   = lookup + size / bandwidth + reads * local
    seconds of streaming = reads * (lookup + stream)

`measure` finds the bandwidth and what one read of all of the data takes, streamed and from the
disk; `report` prints the advice.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path, PurePosixPath

from pyarrow.dataset import Expression

from dvc_bucket.base.errors import SpaceError
from dvc_bucket.base.paths import FAST_DISKS
from dvc_bucket.read import dataset, sources, tree
from dvc_bucket.read.advise.conditions import expression
from dvc_bucket.read.advise.measure import OneRead, latency, of_files, of_row_groups, of_stream
from dvc_bucket.read.layout import FORMATS
from dvc_bucket.read.proof import Proof
from dvc_bucket.read.tracked import TrackedData

#: Files of this mean size at most are fetched whole by a reader.
FILE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Advice:
    """What was measured, and what follows. Times are in seconds.

    Attributes:
        path: of the data.
        folder: to which the data would be staged.
        files: number of files.
        size: bytes of all files.
        reads: number of reads in total.
        lookup: time to find out what DVC tracks.
        latency: time from a request for one byte to the byte.
        read: one read of all of the data.
    """

    path: str
    folder: Path
    files: int
    size: int
    reads: int
    lookup: float
    latency: float
    read: OneRead

    @property
    def fetch(self) -> float:
        """Time to copy all files to the disk."""
        return self.lookup + self.size / max(1.0, self.read.bandwidth)  # of empty files, it is 0

    def staged(self, reads: int) -> float:
        """Time of a number of reads of data that is copied first."""
        return self.fetch + reads * self.read.local

    def streamed(self, reads: int) -> float:
        """Time of a number of streamed reads."""
        return reads * (self.lookup + self.read.stream)

    @property
    def way(self) -> str:
        """The faster way: `stage` or `stream`."""
        return "stage" if self.staged(self.reads) < self.streamed(self.reads) else "stream"

    @property
    def stage_from(self) -> int | None:
        """The number of reads at which staging becomes faster; None if it never does."""
        gain = self.streamed(1) - self.read.local
        return max(1, ceil(self.fetch / gain)) if gain > 0 else None


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
    """Measure for some seconds, with 400 MB at most, and advise.

    Args:
        path: that DVC tracks, from the project's root.
        reads: number of reads in total.
        columns: of a table, that are read; None for all.
        where: of a table, conditions on the rows that are read, such as `dep_delay > 60`.
        rev: branch, tag or commit; None for the workspace.
        remote: DVC's name of the remote; None for the default one.
        folder: on the disk that would be staged to; None for $SCRATCH, $TMPDIR or /tmp.

    Raises:
        SpaceError: there is no such folder.
        ConditionError: a condition is not of the form `column > value`.
        BucketError: as `open_dataset`.
    """
    rows = expression(where)
    disk = folder or Path(
        next(filter(None, map(os.environ.get, FAST_DISKS)), tempfile.gettempdir())
    )
    if not disk.is_dir():
        raise SpaceError(f"{disk} is not a folder. Name a folder on the disk for the copies.")
    tree.find(path, rev, remote)  # loads DVC: a process does that once, whatever it reads
    start = time.perf_counter()
    data = tree.find(path, rev, remote)
    lookup = time.perf_counter() - start
    sizes, read = _measured(data, columns, rows, disk)
    return Advice(
        str(path), disk, len(sizes), sum(sizes), reads, lookup, latency=latency(data), read=read
    )


def _measured(
    data: TrackedData, columns: Sequence[str] | None, rows: Expression | None, disk: Path
) -> tuple[list[int], OneRead]:
    """The sizes of the files in bytes, and one read of them; that of a stream with the opening."""
    start = time.perf_counter()
    source = sources.on_remote(Proof(data))
    kind = FORMATS.get(PurePosixPath(data.files[0].path).suffix)
    table = dataset.opened(source, data.path, columns, rows) if kind else None
    opening = time.perf_counter() - start
    sizes = [
        size or file.expected_size or 0
        for (_, _, size), file in zip(source.files, data.files, strict=True)
    ]
    with tempfile.TemporaryDirectory(prefix="bucket-advise-", dir=disk) as scratch:
        if sum(sizes) <= FILE_BYTES * len(sizes):
            read = of_files(source, table, sizes, Path(scratch))
        elif table is not None and kind == "parquet":
            read = of_row_groups(source, table, sizes, Path(scratch))
        else:
            read = of_stream(source, table if kind == "csv" else None, sizes, Path(scratch))
    return sizes, replace(read, stream=opening + read.stream)
