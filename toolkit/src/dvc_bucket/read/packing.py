"""Many small files to a few large ones: the same bytes from the same files, wherever it is done.

Ten thousand small objects cost ten thousand requests, whatever the tool. In shards of some hundred
megabytes they cost a few, and an image costs what its bytes cost.
"""

import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.files import files_below
from dvc_bucket.base.progress import Progress, silent
from dvc_bucket.dvc import written

#: Bytes of files to a shard: large enough that requests cost nothing beside the bytes, small enough
#: that several machines have something to share.
SHARD_BYTES = 256 * 1024 * 1024
LEAST_BYTES, MOST_BYTES = 1024 * 1024, 4 * 1024**3

#: Bytes of files to a row group of a Parquet shard: what a reader holds at a time.
GROUP_BYTES = 8 * 1024 * 1024

#: Columns of a Parquet shard; those of the metadata follow.
NAME, DATA = "name", "data"

#: Kinds of shards, and how their files end.
ENDS = {"parquet": ".parquet", "tar": ".tar"}

#: Of Parquet: files that are small are mostly compressed, texts are not.
COMPRESSION, LEVEL = "zstd", 3

#: Permissions of files in a tar.
MODE = 0o644


class PackError(BucketError):
    """A folder cannot be packed as it was asked for."""


@dataclass(frozen=True)
class Packed:
    """What was made.

    Attributes:
        folder: that has the shards.
        files: how many files are in them.
        shards: how many there are.
        size: bytes of all shards.
    """

    folder: Path
    files: int
    shards: int
    size: int


def pack(
    folder: Path,
    out: Path,
    *,
    form: str = "parquet",
    shard_bytes: int = SHARD_BYTES,
    metadata: Path | None = None,
    progress: Progress = silent,
) -> Packed:
    """Put all files of a folder, in the order of their names, into shards in another folder.

    Args:
        folder: with files, in folders or not.
        out: the folder of shards, new or written before; it takes its name when it is complete.
        form: `parquet` (name, bytes, metadata), or `tar`, which every program reads.
        shard_bytes: bytes of files to a shard, at most; a larger file has one to itself.
        metadata: CSV or Parquet file with a column `name`, the path of a file in `folder`, and
            others that are to go with it. Parquet shards only.
        progress: hears how far it is.

    Raises:
        PackError: there are no files, one is gone before it was read, something in the folder is no
            file or cannot be listed, a name is no UTF-8, or the metadata does not fit.
        OutputError: `out` holds something that this clone did not write there.
    """
    if form not in ENDS:
        raise PackError(f"Unknown shard format {form}; use {' or '.join(ENDS)}.")
    if not LEAST_BYTES <= shard_bytes <= MOST_BYTES:
        raise PackError(
            f"A shard of {shard_bytes:,} bytes is not between {LEAST_BYTES:,} and {MOST_BYTES:,}."
        )
    if metadata and form == "tar":
        raise PackError("A tar has no place for metadata: use Parquet shards.")
    files = _files(folder)
    labels = _metadata(metadata, files, folder) if metadata else None
    whole = sum(size for _, size in files)
    with written.new_folder(out) as unfinished:
        shards = list(_shares(files, shard_bytes))
        write = _write_tar if form == "tar" else _write_parquet
        done = 0
        for number, share in enumerate(shards):
            path = unfinished / f"shard-{number:05}{ENDS[form]}"
            try:
                for size in write(path, folder, share, labels):
                    done += size
                    progress(done, whole)
            except FileNotFoundError as error:
                raise PackError(f"{error.filename} was removed while it was packed.") from None
    size = sum(path.stat().st_size for path in out.iterdir())
    return Packed(out, len(files), len(shards), size)


#: Name of a file, with slashes, and its size in bytes.
File = tuple[str, int]

#: Metadata of a file by its name.
Labels = Mapping[str, Mapping[str, Any]]


def _files(folder: Path) -> list[File]:
    """All files of the folder in the order of their names' bytes, which no locale changes.

    Nothing is left out without a word: who packs a folder may delete it afterwards.
    """
    if not folder.is_dir():
        raise PackError(f"{folder} is no folder.")
    found = []
    for path in files_below(folder, _refuse):
        if not path.is_file():
            raise PackError(
                f"{path} is not a regular file, or is a link to a folder or to nothing. Nothing "
                "was packed. Replace it by its content, or remove it."
            )
        name = path.relative_to(folder).as_posix()
        try:
            name.encode()
        except UnicodeEncodeError:
            raise PackError(f"The name of {os.fsencode(path)!r} is no UTF-8: rename it.") from None
        found.append((name, path.stat().st_size))
    if not found:
        raise PackError(f"{folder} has no files.")
    return sorted(found, key=lambda file: file[0].encode())


def _refuse(error: OSError) -> None:
    raise PackError(f"{error.filename} cannot be listed: {error.strerror}.") from None


def _metadata(path: Path, files: Sequence[File], folder: Path) -> "Labels":
    """What goes with each file.

    Raises:
        PackError: the table cannot be read, has no column `name`, or not one row for each file.
    """
    try:
        table = parquet.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise PackError(f"{path} cannot be read as a table: {error}") from None
    if NAME not in table.column_names or DATA in table.column_names:
        raise PackError(
            f"{path} has the columns {', '.join(table.column_names)}: it needs {NAME}, the path of "
            f"a file in {folder}, and must not have {DATA}."
        )
    rows = {row.pop(NAME): row for row in table.to_pylist()}
    if len(rows) != len(table):
        raise PackError(f"{path} names a file twice.")
    if missing := [name for name, _ in files if name not in rows]:
        raise PackError(
            f"{path} has no row for {missing[0]} and {len(missing) - 1:,} more files of {folder}."
        )
    return _Typed(rows, pa.schema([field for field in table.schema if field.name != NAME]))


class _Typed(dict[str, Mapping[str, Any]]):
    """Rows by name, and the types of their columns."""

    def __init__(self, rows: Mapping[str, Mapping[str, Any]], schema: pa.Schema) -> None:
        super().__init__(rows)
        self.schema = schema


def _shares(files: Sequence[File], limit: int) -> Iterator[list[File]]:
    """Files one after the other, so many to a share that they have at most `limit` bytes."""
    share: list[File] = []
    size = 0
    for file in files:
        if share and size + file[1] > limit:
            yield share
            share, size = [], 0
        share.append(file)
        size += file[1]
    yield share


def _write_parquet(
    path: Path, folder: Path, share: Sequence[File], labels: Labels | None
) -> Iterator[int]:
    """Write a shard, a row group at a time; bytes of each."""
    types = [pa.field(NAME, pa.string()), pa.field(DATA, pa.binary())]
    schema = pa.schema([*types, *(labels.schema if isinstance(labels, _Typed) else ())])
    with parquet.ParquetWriter(
        path,
        schema,
        compression=COMPRESSION,
        compression_level=LEVEL,
        use_dictionary=False,
        write_statistics=[NAME],
        write_page_checksum=True,
    ) as writer:
        for group in _shares(share, GROUP_BYTES):
            rows = [
                {NAME: name, DATA: (folder / name).read_bytes(), **(labels or {}).get(name, {})}
                for name, _ in group
            ]
            table = pa.Table.from_pylist(rows, schema)
            writer.write_table(table, row_group_size=len(rows))
            yield sum(len(row[DATA]) for row in rows)


def _write_tar(path: Path, folder: Path, share: Sequence[File], _: Labels | None) -> Iterator[int]:
    """Write a shard without anything that is not content: times, owners, permissions."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, _size in share:
            with (folder / name).open("rb") as file:
                entry = tarfile.TarInfo(name)
                entry.size = os.fstat(file.fileno()).st_size
                entry.mode = MODE
                archive.addfile(entry, file)
                yield entry.size
