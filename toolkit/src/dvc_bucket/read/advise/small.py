"""Samples of many files: a file is a unit."""

import itertools
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from pyarrow import fs as filesystems

from dvc_bucket.base.progress import silent
from dvc_bucket.read import bringing, copying, samples
from dvc_bucket.read.advise.sample import SAMPLE_BYTES, Sample, read
from dvc_bucket.read.sources import Source
from dvc_bucket.read.table import Table
from dvc_bucket.read.tracked import Tracked

#: Files that are tried at most.
MOST_FILES = 1024


class Files(Sample):
    """Small files: of a table, or any."""

    def __init__(
        self,
        found: Tracked,
        source: Source,
        table: Table | None,
        sizes: Sequence[int],
        opening: float,
        scratch: Path,
    ) -> None:
        self._found, self._source, self._table, self._scratch = found, source, table, scratch
        self._folders = (scratch / str(number) for number in itertools.count())
        self.size, self.opening = sum(sizes), opening
        self.units = self.units_to_fetch = len(sizes)
        # Of a few files only parts are read; of many, each is fetched whole.
        self.touched = self.size
        self.requests = len(sizes)
        fits = SAMPLE_BYTES * len(sizes) // max(1, self.size)
        self._most = max(1, min(len(sizes), MOST_FILES, fits))

    def stream(self, count: int) -> None:
        """Read the first files over the wire."""
        if self._table is None:
            _exhaust(samples.of_files(self._source, self._source.files[:count]))
            return
        read(self._table, list(self._table.get_fragments())[:count], self._table.fetch)

    def fetch(self, count: int) -> None:
        """Stage the first files, to a folder of their own."""
        folder = next(self._folders)
        start = time.perf_counter()
        wanted = copying.items_of(self._found, folder)[:count]
        done = bringing.fetch(folder, wanted, silent)
        self.rate = done.size / (time.perf_counter() - start)
        self._staged = [item.target for item in wanted]

    def local(self, count: int) -> None:
        """Read the first of them."""
        if self._table is None:
            for path in self._staged[:count]:
                path.read_bytes()
            return
        disk = filesystems.LocalFileSystem()
        known = [one.partition_expression for one in self._table.get_fragments()]
        read(
            self._table,
            [
                self._table.format.make_fragment(str(path), disk, part)
                for path, part in zip(self._staged[:count], known, strict=False)
            ],
        )


def _exhaust(things: Iterable[object]) -> None:
    for _ in things:
        continue
