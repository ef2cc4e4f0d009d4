"""What readers of samples share: row groups, tars or files, and the samples of each."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.dataset as ds

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import FormatError
from dvc_bucket.read.layout import format_of
from dvc_bucket.read.packing import DATA, NAME, key_of
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.read.sources import Located, Source
from dvc_bucket.read.table import IN_MEMORY, THREADS
from dvc_bucket.read.tars import TAR_BYTES, files_in

#: Row groups or files that are on their way while others are read, and their bytes at most.
AHEAD = 4
AHEAD_BYTES = 64 * 1024 * 1024


class Sample(NamedTuple):
    """A file as it was packed.

    Attributes:
        name: its path in the packed folder.
        data: its bytes.
        metadata: its row of metadata; empty in tar shards.
    """

    name: str
    data: bytes
    metadata: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The name up to the first dot after its folders, as WebDataset has it: `a/1` of `a/1.png`.

        Neighbouring files with the same key go to the same reader, one after the other.
        """
        return key_of(self.name)


class _RowGroup(NamedTuple):
    """A row group of a shard, and the bytes of its columns."""

    fragment: ds.ParquetFileFragment
    size: int


@dataclass(frozen=True)
class Plan:
    """How data is read.

    Attributes:
        units: what readers share: row groups, tars, or the files of one key.
        read: the samples of each of some units.
        mark: what the data is known by in a state.
        is_small: no unit is worth parting or mixing with others.
    """

    units: Sequence[Any]
    read: Callable[[Sequence[Any]], Iterator[Iterable[Sample]]]
    mark: Any
    is_small: bool = False


def plan(source: Source) -> Plan:
    """How some data is read.

    Raises:
        FormatError: these are Parquet files, and no shards.
        ChecksumError: a file is not what DVC recorded.
    """
    files = list(source.files)
    if all(name.endswith(".parquet") for name, _, _ in files):
        opened = prefetch(partial(_opened, source), files, threads=THREADS, count=IN_MEMORY)
        shards = [
            [
                _RowGroup(shard.subset(row_group_ids=[group.id]), group.total_byte_size)
                for group in shard.row_groups
            ]
            for shard in opened
        ]
        sizes = [[group.size for group in groups] for groups in shards]
        return Plan(list(chain(*shards)), partial(_of_groups, source), [_names(files), sizes])
    if all(name.endswith(".tar") for name, _, _ in files):
        sized = [_size(source, file) for file in files]
        return Plan(files, partial(_of_tars, source), [_names(files), sized])
    keyed = [list(group) for _, group in groupby(files, lambda file: key_of(file[0]))]
    return Plan(keyed, partial(_of_keys, source), _names(files), is_small=True)


def _names(files: Iterable[Located]) -> list[str]:
    return [name for name, _, _ in files]


def _size(source: Source, file: Located) -> int:
    """Bytes of a file: of one that is fetched whole, the mean that DVC recorded."""
    _, place, size = file
    if size is not None:
        return size
    if source.is_whole:
        return source.by_place[place].expected_size or 0
    return Path(place).stat().st_size


def _of_groups(source: Source, groups: Sequence[_RowGroup]) -> Iterator[Iterable[Sample]]:
    """Row groups are fetched ahead, several at a time, each with one request."""
    tables = prefetch(
        partial(_read, source),
        groups,
        threads=AHEAD,
        count=AHEAD,
        size_of=lambda group: group.size,
        max_bytes=AHEAD_BYTES,
    )
    return map(_samples, tables)


def _read(source: Source, group: _RowGroup) -> pa.Table:
    fragment = group.fragment
    try:
        with source.judged([fragment.path]):
            return fragment.to_table()
    except OSError as error:
        raise source.broken_page(fragment.path, error) from None


def _opened(source: Source, file: Located) -> ds.ParquetFileFragment:
    """A shard, of which the footer is read; by its size, where that is known, with one request."""
    name, place, size = file
    shard = format_of("parquet").make_fragment(place, source.filesystem, file_size=size)
    with source.judged([place]):
        columns = shard.physical_schema.names
    if {NAME, DATA} - set(columns):
        raise FormatError(
            f"{name} is not a shard of samples: it has the columns {', '.join(columns)} instead of "
            f"{NAME} and {DATA}."
        )
    return shard


def _samples(table: Any) -> Iterator[Sample]:
    others = [column for column in table.column_names if column not in {NAME, DATA}]
    metadata = table.select(others).to_pylist() if others else [{}] * len(table)
    names, bodies = table[NAME].to_pylist(), table[DATA]
    for name, body, more in zip(names, bodies, metadata, strict=True):
        safe_paths.check(name)
        yield Sample(name, body.as_py(), more)


def _of_keys(source: Source, keyed: Sequence[Sequence[Located]]) -> Iterator[Iterable[Sample]]:
    samples = of_files(source, list(chain(*keyed)))
    return (list(islice(samples, len(files))) for files in keyed)


def of_files(source: Source, files: Sequence[Located]) -> Iterator[Sample]:
    """Files that nobody packed: a request for each, many at a time."""

    def read(file: Located) -> Sample:
        path, place, _ = file
        name = path.removeprefix(f"{source.path}/")
        if (body := source.fetch(place)) is not None:
            return Sample(name, body.to_pybytes(), {})
        with source.open(place) as stream:
            return Sample(name, stream.read(), {})

    count = IN_MEMORY if source.is_whole else AHEAD
    size_of = partial(_size, source)
    threads = min(THREADS, count)
    yield from prefetch(
        read, files, threads=threads, count=count, size_of=size_of, max_bytes=AHEAD_BYTES
    )


def _of_tars(source: Source, files: Sequence[Located]) -> Iterator[Iterable[Sample]]:
    """One shard after the other."""
    return (_of_tar(source, place) for _, place, _ in files)


def _of_tar(source: Source, place: str) -> Iterator[Sample]:
    with source.open(place, TAR_BYTES) as stream:
        for name, data in files_in(stream, place):
            yield Sample(name, data, {})
