"""Shards back to samples, for a training loop: streamed, in order or shuffled, a few at a time."""

import random
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyarrow.dataset as ds

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import FormatError
from dvc_bucket.connection.settings import Settings
from dvc_bucket.read.layout import format_of
from dvc_bucket.read.packing import DATA, NAME
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.read.proof import Proven
from dvc_bucket.read.sources import Located, Source, locate
from dvc_bucket.read.table import IN_MEMORY, THREADS

#: Row groups that are mixed with each other where samples are shuffled, and so held at a time.
MIXED = 8

#: Row groups that are on their way while others are read.
AHEAD = 4

#: Bytes of a tar that are read at a time, and samples of it that are mixed with each other.
TAR_BYTES = 8 * 1024 * 1024
TAR_MIXED = 512


class Sample(NamedTuple):
    """A file as it was packed.

    Attributes:
        name: its path in the folder that was packed.
        data: its bytes.
        metadata: what goes with it; empty in tar shards.
    """

    name: str
    data: bytes
    metadata: Mapping[str, Any]


def iter_samples(
    path: str | Path,
    rev: str | None = None,
    shuffle: int | None = None,
    remote: str | None = None,
    *,
    repo: str | None = None,
    settings: Settings | None = None,
    proven: Proven | None = None,
) -> Iterator[Sample]:
    """Stream the samples of a folder that `bucket pack` made, from the disk or the remote.

    Every sample comes once. In memory are a few row groups of some megabytes each. A folder that
    nobody packed gives its files alike, with a request for each.

    Args:
        path: of the folder, or one shard of it; that, and the rest, as of `open_dataset`.
        rev: branch, tag or commit.
        shuffle: a seed, for an order that is the same for the same seed and shards: row groups of
            all shards in any order, samples mixed among eight of those; None for the order of
            their names.
        remote: DVC's name of the remote; None for the default one.
        repo: URL or folder of another repository.
        settings: the connection.
        proven: as of `open_dataset`. Without it, pages of Parquet shards are compared with their
            checksums; a tar is hashed as it is read, so that its last sample may have come when
            that raises; other files are hashed before.

    Raises:
        FormatError: these are Parquet files, and no shards; or a tar is damaged, incomplete, or has
            a sparse file.
        ChecksumError: a file is not what DVC recorded.
        UnsafePathError: a name leads out of the folder that was packed.
        BucketError: as `open_dataset`.
    """
    source = locate(path, rev, remote, repo, settings, proven)
    chance = None if shuffle is None else random.Random(shuffle)  # noqa: S311 (no secret)
    files = list(source.files)
    if all(name.endswith(".parquet") for name, _, _ in files):
        yield from _of_parquet(source, chance)
        return
    if chance:
        chance.shuffle(files)
    if all(name.endswith(".tar") for name, _, _ in files):
        yield from _of_tars(source, [place for _, place, _ in files], chance)
    else:
        yield from of_files(source, files)


def _of_parquet(source: Source, chance: random.Random | None) -> Iterator[Sample]:
    """Row groups are fetched ahead, several at a time, each with one request."""
    shards = prefetch(partial(_opened, source), source.files, threads=THREADS, count=IN_MEMORY)
    groups = [
        shard.subset(row_group_ids=[number])
        for shard in shards
        for number in range(shard.num_row_groups)
    ]
    if chance:
        chance.shuffle(groups)
    tables = prefetch(partial(_read, source), groups, threads=AHEAD, count=AHEAD)
    if not chance:
        for table in tables:
            yield from _samples(table)
        return
    while several := list(islice(tables, MIXED)):
        mixed = [sample for table in several for sample in _samples(table)]
        chance.shuffle(mixed)
        yield from mixed


def _read(source: Source, group: ds.ParquetFileFragment) -> pa.Table:
    try:
        with source.judged([group.path]):
            return group.to_table()
    except OSError as error:
        raise source.broken_page(group.path, error) from None


def _opened(source: Source, file: Located) -> ds.ParquetFileFragment:
    """A shard, of which the footer is read; by its size, where that is known, with one request."""
    name, place, size = file
    shard = format_of("parquet").make_fragment(place, source.filesystem, file_size=size)
    with source.judged([place]):
        columns = shard.physical_schema.names
    if {NAME, DATA} - set(columns):
        raise FormatError(
            f"{name} is not a shard of samples: it has the columns {', '.join(columns)}, not "
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
    yield from prefetch(read, files, threads=min(THREADS, count), count=count)


def _of_tars(
    source: Source, places: Sequence[str], chance: random.Random | None
) -> Iterator[Sample]:
    """One shard after the other; mixed among some hundred samples."""
    samples = (sample for place in places for sample in _of_tar(source, place))
    if not chance:
        yield from samples
        return
    waiting: list[Sample] = []
    for sample in samples:
        waiting.append(sample)
        if len(waiting) > TAR_MIXED:
            yield waiting.pop(chance.randrange(len(waiting)))
    chance.shuffle(waiting)
    yield from waiting


def _of_tar(source: Source, place: str) -> Iterator[Sample]:
    """The files of a tar, to its very end.

    Raises:
        FormatError: the tar is damaged or incomplete, or has a sparse file: that can claim any
            number of bytes that are not in the tar.
        UnsafePathError: a name is not a path in a folder.
    """
    with source.open(place, TAR_BYTES) as stream:
        try:
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Entry) as archive:
                for entry in archive:
                    if entry.isfile() and (file := archive.extractfile(entry)):
                        safe_paths.check(entry.name.removeprefix("./"))
                        yield Sample(entry.name, file.read(), {})
                _check_end(archive)
        except (tarfile.TarError, ValueError, RecursionError) as error:
            raise FormatError(
                f"{place} is a damaged or incomplete tar ({error}). Get it again, or pack it again "
                "with `bucket pack`."
            ) from None


class _Entry(tarfile.TarInfo):
    """A header of a tar. Python's own takes a damaged one for the end of the tar."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """Read the next header.

        Raises:
            ReadError: it is damaged, or says more of a file than a tar has bytes.
        """
        try:
            entry = super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the proper end
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from None
        if entry.issparse():
            raise tarfile.ReadError(f"{entry.name!r} is a sparse file")
        if entry.type not in tarfile.SUPPORTED_TYPES or entry.size < 0:
            raise tarfile.ReadError(f"{entry.name!r} is of an unknown kind or size")
        return entry


def _check_end(archive: tarfile.TarFile) -> None:
    """After the last file come zeros: anything else are files that were not read."""
    stream: Any = archive.fileobj
    while piece := stream.read(TAR_BYTES):
        if piece.strip(b"\0"):
            raise tarfile.ReadError("there is data after the end mark")
