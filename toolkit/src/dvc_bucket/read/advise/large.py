"""Samples of large files: a row group is a unit, or a block."""

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
from pyarrow import csv
from pyarrow import fs as filesystems

from dvc_bucket.read.advise.sample import SAMPLE_BYTES, Sample, read
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.read.sources import Source
from dvc_bucket.read.table import Table
from dvc_bucket.read.tracked import Tracked
from dvc_bucket.transfer.download import PIECE_BYTES, RANGE_BYTES, STREAMS, write_at
from dvc_bucket.transfer.errors import naming_failures

#: Units of a file that is no Parquet.
BLOCK_BYTES = 4 * 1024 * 1024

#: Footers that are looked into at most.
MOST_FOOTERS = 16


class _Part(Sample):
    """A part of one large file, at its place in a file that is otherwise empty."""

    def _init(self, found: Tracked, file: int, scratch: Path) -> None:
        self._store, self._settings = found.remote.store, found.remote.settings
        self._key, self._title = found.key(found.files[file]), found.files[file].path
        self._copy = scratch / "part"

    def _bring(self, begin: int, end: int) -> None:
        """Fetch, write and hash a part as `bucket cp` does: in streams, piece by piece."""
        import obstore

        start = time.perf_counter()
        digest = hashlib.md5(usedforsecurity=False)
        ranges = [(at, min(at + RANGE_BYTES, end)) for at in range(begin, end, RANGE_BYTES)]
        with self._copy.open("r+b" if self._copy.exists() else "w+b") as file:

            def fetch(one: tuple[int, int]) -> list[memoryview]:
                at, pieces = one[0], []
                answer = obstore.get(self._store, self._key, options={"range": one})
                for arrived in answer.stream(PIECE_BYTES):
                    pieces.append(memoryview(arrived))
                    at = write_at(file.fileno(), pieces[-1], at)
                return pieces

            with naming_failures(f"read {self._title}", self._settings):
                for pieces in prefetch(fetch, ranges, threads=STREAMS, count=2 * STREAMS):
                    for piece in pieces:
                        digest.update(piece)
        self.rate = (end - begin) / (time.perf_counter() - start)


class Groups(_Part):
    """Row groups of large Parquet files."""

    def __init__(
        self, found: Tracked, source: Source, table: Table, size: int, opening: float, scratch: Path
    ) -> None:
        start = time.perf_counter()
        fragments = list(table.get_fragments(table.rows))
        looked = fragments[:: -(-len(fragments) // MOST_FOOTERS) or 1]
        groups = [group for one in looked for group in one.split_by_row_group(table.rows)]
        share = len(fragments) / max(1, len(looked))
        self.opening = opening + (time.perf_counter() - start) * share
        self._table, self.size = table, size
        wanted = _leaves(table)
        self.touched = int(share * sum(_bytes(group, wanted) for group in groups))
        self.requests = int(share * len(groups) * max(1, len(wanted) if wanted else 1)) + 1
        self.units = share * len(groups)
        # Neighbours of one file, from the middle on.
        middle = groups[len(groups) // 2 :] or [*looked[0].split_by_row_group()]
        self._groups = [one for one in middle if one.path == middle[0].path]
        whole = _span(self._groups[0])
        each = max(1, whole[1] - whole[0])
        self._most = max(1, min(len(self._groups), SAMPLE_BYTES // each))
        self.units_to_fetch = size / each
        [(file, end)] = [
            (number, size)
            for number, (_, place, size) in enumerate(source.files)
            if place == middle[0].path and size
        ]
        self._init(found, file, scratch)
        # The end of the file says where what is; the length of that and "PAR1" follow it.
        self._bring(end - middle[0].metadata.serialized_size - 8, end)

    def stream(self, count: int) -> None:
        """Read the wanted columns of the first groups over the wire."""
        read(self._table, self._groups[:count])

    def fetch(self, count: int) -> None:
        """Fetch the first groups, with all of their columns."""
        self._bring(_span(self._groups[0])[0], _span(self._groups[count - 1])[1])

    def local(self, count: int) -> None:
        """Read the wanted columns of the first groups from the disk."""
        disk, part = filesystems.LocalFileSystem(), self._groups[0].partition_expression
        numbers = [group.row_groups[0].id for group in self._groups[:count]]
        fragment = self._table.format.make_fragment(str(self._copy), disk, part, numbers)
        read(self._table, [fragment])


class Blocks(_Part):
    """Pieces of other large files, which are read from their beginning on."""

    def __init__(
        self,
        found: Tracked,
        source: Source,
        sizes: Sequence[int],
        opening: float,
        scratch: Path,
        *,
        is_csv: bool,
    ) -> None:
        largest = max(range(len(sizes)), key=sizes.__getitem__)
        self._source, self._place = source, source.files[largest][1]
        self._is_csv = is_csv
        self.size = self.touched = sum(sizes)
        self.requests = len(sizes)
        self.units = self.units_to_fetch = self.size / BLOCK_BYTES
        self.opening = opening
        self._most = max(1, min(sizes[largest], SAMPLE_BYTES) // BLOCK_BYTES)
        self._init(found, largest, scratch)

    def stream(self, count: int) -> None:
        """Read the first blocks as one stream."""
        with self._source.filesystem.open_input_file(self._place) as stream:
            self._read(stream, count)

    def fetch(self, count: int) -> None:
        """Fetch them as ranges."""
        self._bring(0, count * BLOCK_BYTES)

    def local(self, count: int) -> None:
        """Read them from the disk."""
        with filesystems.LocalFileSystem().open_input_file(str(self._copy)) as stream:
            self._read(stream, count)

    def _read(self, stream: Any, count: int) -> None:
        end = count * BLOCK_BYTES
        if not self._is_csv:
            while stream.tell() < end and stream.read(BLOCK_BYTES):
                continue
            return
        for _ in csv.open_csv(stream):
            if stream.tell() >= end:
                return


def _leaves(table: Table) -> set[str] | None:
    """Columns that are read; None for all. Those of the filter are among its words."""
    if table.columns is None:
        return None
    words = str(table.rows) if table.rows is not None else ""
    return {*table.columns, *(name for name in table.schema.names if name in words)}


def _columns(group: ds.Fragment) -> list[Any]:
    details = group.metadata.row_group(group.row_groups[0].id)
    return [details.column(number) for number in range(details.num_columns)]


def _bytes(group: ds.Fragment, wanted: set[str] | None) -> int:
    """Compressed bytes of the wanted columns of a row group."""
    return sum(
        one.total_compressed_size
        for one in _columns(group)
        if wanted is None or one.path_in_schema.partition(".")[0] in wanted
    )


def _span(group: ds.Fragment) -> tuple[int, int]:
    """Where a row group begins and ends in its file."""
    places = [
        (one.dictionary_page_offset or one.data_page_offset, one.total_compressed_size)
        for one in _columns(group)
    ]
    return min(at for at, _ in places), max(at + size for at, size in places)
