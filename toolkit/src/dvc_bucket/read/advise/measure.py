"""One read of all of the data, streamed and from the disk, estimated from a part of it."""

import hashlib
import itertools
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyarrow import fs as filesystems

from dvc_bucket.base.progress import silent
from dvc_bucket.read import bringing, copying, csv_lines, units
from dvc_bucket.read.content import Content
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.read.sources import Source
from dvc_bucket.read.table import Table
from dvc_bucket.read.tracked import TrackedData
from dvc_bucket.transfer import ranges
from dvc_bucket.transfer.download import RANGE_BYTES, STREAMS
from dvc_bucket.transfer.errors import naming_failures

#: Bytes of the part at most, but for a single row group or file; files of it at most.
SAMPLE_BYTES = 48 * 1024 * 1024
MAX_FILES = 1024

#: Footers of Parquet files that are read at most.
MAX_FOOTERS = 16

#: Requests for one byte.
LATENCY_TRIES = 7

#: Work that takes less is timed three times: the first time also opens connections.
ENOUGH_SECONDS = 2.0


@dataclass(frozen=True)
class OneRead:
    """What one read of all of the data costs. Times are in seconds.

    Attributes:
        bandwidth: bytes a second from the bucket to the disk, as `bucket cp` copies.
        stream: time of a streamed read.
        local: time of a read from the disk.
        touched: bytes that a streamed read takes.
        requests: that it makes, about.
    """

    bandwidth: float
    stream: float
    local: float
    touched: int
    requests: int


def seconds(work: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """The time that work takes: once if that is long, else the median of three times."""
    times: list[float] = []
    while len(times) < 3 and sum(times) < ENOUGH_SECONDS:
        start = clock()
        work()
        times.append(clock() - start)
    return statistics.median(times)


def latency(data: TrackedData) -> float:
    """The median time from a request for one byte of the first file to the byte.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    store, key = data.remote.store, data.key(data.files[0])
    times = []
    with naming_failures(f"read {data.title}", data.remote.settings):
        for _ in range(LATENCY_TRIES):
            start = time.perf_counter()
            ranges.read(data.remote.settings, store, key, 0, 1)
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def of_files(source: Source, table: Table | None, sizes: Sequence[int], scratch: Path) -> OneRead:
    """One read of small files, of a table or any, from the first of them."""
    fitting = SAMPLE_BYTES * len(sizes) // max(1, sum(sizes))
    count = max(1, min(len(sizes), MAX_FILES, fitting))
    part = replace(source.data, files=source.data.files[:count])
    numbers = itertools.count()
    copies: list[Path] = []

    def fetch() -> None:
        folder = scratch / str(next(numbers))
        items = copying.items_of(part, folder)
        bringing.bring(folder, items, silent)
        copies[:] = [item.target for item in items]

    fetching = seconds(fetch)
    if table is None:
        stream = seconds(lambda: deque(units.of_files(source, source.files[:count]), maxlen=0))
        local = seconds(lambda: deque(map(Path.read_bytes, copies), maxlen=0))
    else:
        disk = Source(filesystems.LocalFileSystem())
        fragments = list(table.plain.get_fragments())[:count]
        copied = [
            table.plain.format.make_fragment(
                str(path), disk.filesystem, fragment.partition_expression
            )
            for path, fragment in zip(copies, fragments, strict=True)
        ]
        stream = seconds(table.part(fragments).to_table)
        local = seconds(table.part(copied, disk).to_table)
    bandwidth = sum(path.stat().st_size for path in copies) / fetching
    times = len(sizes) / count
    return OneRead(bandwidth, times * stream, times * local, sum(sizes), len(sizes))


def of_row_groups(source: Source, table: Table, sizes: Sequence[int], scratch: Path) -> OneRead:
    """One read of large Parquet files, from neighbouring row groups of one of them."""
    bandwidth = _fetch_part(source, sizes, scratch / "part")
    start = time.perf_counter()
    fragments = list(table.plain.get_fragments(table.rows))
    looked = fragments[:: -(-len(fragments) // MAX_FOOTERS) or 1]
    groups = [group for fragment in looked for group in fragment.split_by_row_group(table.rows)]
    more = len(fragments) / max(1, len(looked))
    footers = (time.perf_counter() - start) * more
    if not groups:  # none has such rows
        return OneRead(bandwidth, footers, 0.0, 0, len(fragments))
    place = groups[len(groups) // 2].path
    size = source.versions[source.by_place[place].path]["size"]
    of_file = [group for group in groups if group.path == place]
    count = SAMPLE_BYTES * of_file[0].metadata.num_row_groups // size or 1
    sample = of_file[max(0, len(of_file) - count) // 2 :][:count]
    kept = _KeptRanges(source, place)
    in_memory = _kept_table(table, sample, kept)
    touched, requests = sum(map(len, kept.ranges.values())), len(kept.ranges)
    times = len(groups) * more / len(sample)
    return OneRead(
        bandwidth=bandwidth,
        stream=footers + times * seconds(table.part(sample).to_table),
        local=times * seconds(in_memory.to_table),
        touched=int(times * touched),
        requests=int(times * requests) + len(fragments),
    )


def of_stream(source: Source, table: Table | None, sizes: Sequence[int], scratch: Path) -> OneRead:
    """One read of other large files, in pieces from their beginning; a table is one of CSV."""
    part, whole = scratch / "part", sum(sizes)
    bandwidth = _fetch_part(source, sizes, part)

    def read() -> None:
        content = part.read_bytes()
        if table is not None:
            lines = next(csv_lines.cut([content]))
            fragment = table.plain.format.make_fragment(lines)
            table.part([fragment], Source(table.plain.filesystem)).to_table()

    local = whole / part.stat().st_size * seconds(read)
    stream = max(whole / bandwidth, local)  # a piece is decoded while others arrive
    return OneRead(bandwidth, stream, local, whole, len(sizes))


class _KeptRanges(Content):
    """A file on the remote whose ranges are asked for once, and kept."""

    def __init__(self, source: Source, place: str) -> None:
        file = source.by_place[place]
        super().__init__(source.data, file, source.versions[file.path])
        self.ranges: dict[tuple[int, int], bytes] = {}

    def _read_at(self, at: int, count: int) -> bytes:
        if (at, count) not in self.ranges:
            self.ranges[at, count] = bytes(super()._read_at(at, count))
        return self.ranges[at, count]


def _kept_table(table: Table, groups: Sequence[Any], kept: _KeptRanges) -> Table:
    """Row groups as a table in memory, and nothing else in it."""
    fragment = table.plain.format.make_fragment(
        kept,
        partition_expression=groups[0].partition_expression,
        row_groups=[group.row_groups[0].id for group in groups],
    )
    fragment.ensure_complete_metadata()
    kept.ranges.clear()
    in_memory = table.part([fragment], Source(table.plain.filesystem))
    in_memory.to_table()
    return in_memory


def _fetch_part(source: Source, sizes: Sequence[int], target: Path) -> float:
    """Fetch the beginning of the largest file, in as many streams as `bucket cp`, and hash it.

    Returns bytes a second.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    data, file = source.data, source.data.files[largest]
    end = min(sizes[largest], SAMPLE_BYTES)

    def get(start: int) -> Any:
        stop = min(start + RANGE_BYTES, end)
        remote = data.remote
        return ranges.read(remote.settings, remote.store, data.key(file), start, stop)

    def fetch() -> None:
        digest = hashlib.md5(usedforsecurity=False)
        with target.open("wb") as copy:
            starts = range(0, end, RANGE_BYTES)
            for body in prefetch(get, starts, threads=STREAMS, count=2 * STREAMS):
                digest.update(body)
                copy.write(body)

    with naming_failures(f"read {file.path}", data.remote.settings):
        return end / seconds(fetch)
