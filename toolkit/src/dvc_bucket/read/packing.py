"""Many small files to a few large ones: the same bytes from the same files, wherever it is done.

Ten thousand small objects cost ten thousand requests, whatever the tool. In shards of some hundred
megabytes they cost a few, and an image costs what its bytes cost.
"""

import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet

from dvc_bucket.base.errors import PackError
from dvc_bucket.base.files import files_below
from dvc_bucket.base.progress import Progress, silent
from dvc_bucket.dvc import written

#: Bytes of files to a shard: large enough that requests cost nothing beside the bytes, small enough
#: that several machines have something to share.
SHARD_BYTES = 256 * 1024 * 1024
MIN_SHARD_BYTES, MAX_SHARD_BYTES = 1024 * 1024, 4 * 1024**3

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
    """Pack all files of a folder, in the order of their names, into shards in another folder.

    Args:
        folder: the files, with or without subfolders.
        out: the folder of shards, new or written by an earlier run; it gets its name when it is
            complete.
        form: `parquet` (name, bytes, metadata), or `tar`, which every program reads.
        shard_bytes: maximum bytes of files per shard; a larger file gets its own shard. Files whose
            names differ only after the first dot (`1.png`, `1.cls`) share a shard.
        metadata: CSV or Parquet file with a column `name`, the path of a file in `folder`, and
            other columns to store with it. Parquet shards only.
        progress: receives the progress.

    Raises:
        PackError: the folder is empty or has an entry that is not a file or cannot be listed, a
            file was removed meanwhile, a name is not UTF-8, or the metadata does not fit.
        OutputError: `out` contains files that this clone did not write.
    """
    _check_form(form, shard_bytes, has_metadata=metadata is not None)
    files = _files(folder)
    total = sum(files.values())
    rows = pa.table({NAME: pa.array(files, pa.string())})
    if metadata:
        rows = _with_metadata(rows, metadata, folder)
    with written.new_folder(out) as unfinished:
        sizes = _write_shards(unfinished, folder, rows, files, form, shard_bytes)
        for done in accumulate(sizes):
            progress(done, total)
    shards = list(out.iterdir())
    return Packed(out, len(files), len(shards), sum(path.stat().st_size for path in shards))


def _check_form(form: str, shard_bytes: int, *, has_metadata: bool) -> None:
    if form not in ENDS:
        raise PackError(f"Unknown shard format {form}; use {' or '.join(ENDS)}.")
    if not MIN_SHARD_BYTES <= shard_bytes <= MAX_SHARD_BYTES:
        limits = f"between {MIN_SHARD_BYTES:,} and {MAX_SHARD_BYTES:,}"
        raise PackError(f"A shard of {shard_bytes:,} bytes is not {limits}.")
    if has_metadata and form == "tar":
        raise PackError("A tar cannot hold metadata; use Parquet shards.")


def _write_shards(
    out: Path, folder: Path, rows: pa.Table, files: Mapping[str, int], form: str, shard_bytes: int
) -> Iterator[int]:
    """Write the shards; the bytes of each piece of them when it is there."""
    write, sizes = _write_tar if form == "tar" else _write_parquet, list(files.values())
    for number, share in enumerate(_shares(list(files), sizes, shard_bytes)):
        path = out / f"shard-{number:05}{ENDS[form]}"
        part = rows.slice(share.start, len(share))
        try:
            yield from write(path, folder, part, sizes[share.start : share.stop])
        except FileNotFoundError as error:
            raise PackError(f"{error.filename} was removed while it was packed.") from None


def _files(folder: Path) -> dict[str, int]:
    """Sizes of all files of the folder in the order of their names' bytes: no locale changes it.

    Nothing is left out without a word: who packs a folder may delete it afterwards.
    """
    if not folder.is_dir():
        raise PackError(f"{folder} is not a folder.")
    sizes = {}
    for path in files_below(folder, _refuse):
        if not path.is_file():
            raise PackError(
                f"{path} is not a regular file, or is a link to a folder or a missing file. "
                "Nothing was packed. Replace it by its content, or remove it."
            )
        name = path.relative_to(folder).as_posix()
        try:
            name.encode()
        except UnicodeEncodeError:
            raise PackError(f"The name of {os.fsencode(path)!r} is not UTF-8: rename it.") from None
        sizes[name] = path.stat().st_size
    if not sizes:
        raise PackError(f"{folder} has no files.")
    return dict(sorted(sizes.items(), key=lambda file: file[0].encode()))


def _refuse(error: OSError) -> None:
    raise PackError(f"{error.filename} cannot be listed: {error.strerror}.") from None


def _with_metadata(files: pa.Table, path: Path, folder: Path) -> pa.Table:
    """The names of the files, with the columns of the metadata.

    Raises:
        PackError: the table cannot be read, has no column `name`, or not one row for each file.
    """
    try:
        table = parquet.read_table(path) if path.suffix == ".parquet" else csv.read_csv(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise PackError(f"{path} cannot be read as a table: {error}") from None
    if NAME not in table.column_names or DATA in table.column_names:
        raise PackError(
            f"{path} has the columns {', '.join(table.column_names)}. It needs {NAME}, the path of "
            f"a file in {folder}, and must not have {DATA}."
        )
    rows = {name: row for row, name in enumerate(table[NAME].to_pylist())}
    if len(rows) != len(table):
        raise PackError(f"{path} lists a file twice.")
    names = files[NAME].to_pylist()
    if missing := [name for name in names if name not in rows]:
        raise PackError(
            f"{path} has no row for {missing[0]} and {len(missing) - 1:,} more files of {folder}."
        )
    labels = table.drop_columns([NAME]).take([rows[name] for name in names]).combine_chunks()
    for field, column in zip(labels.schema, labels.columns, strict=True):
        files = files.append_column(field, column)
    return files


def key_of(name: str) -> str:
    """What the files of one sample have in common: `a/1` for `a/1.png`, `a/1.seg.png`, `a/1.cls`.

    It is the path up to the first dot of the file's own name. A name without a dot, or that begins
    with one, is all key. Source: WebDataset's naming convention.
    """
    folder, slash, base = name.rpartition("/")
    stem = base.partition(".")[0]
    return folder + slash + (stem or base)


def _shares(names: Sequence[str], sizes: Sequence[int], limit: int) -> Iterator[range]:
    """Ranges of neighbouring files, each with `limit` bytes at most or the files of one key."""
    start = end = total = 0
    for _, same in groupby(names, key_of):
        count = len(list(same))
        size = sum(sizes[end : end + count])
        if end > start and total + size > limit:
            yield range(start, end)
            start, total = end, 0
        end, total = end + count, total + size
    yield range(start, end)


def _write_parquet(path: Path, folder: Path, rows: pa.Table, sizes: Sequence[int]) -> Iterator[int]:
    """Write a shard, a row group at a time; bytes of each."""
    field = pa.field(DATA, pa.binary())
    with parquet.ParquetWriter(
        path,
        rows.schema.insert(1, field),
        compression=COMPRESSION,
        compression_level=LEVEL,
        use_dictionary=False,
        write_statistics=[NAME],
        write_page_checksum=True,
    ) as writer:
        for share in _shares(rows[NAME].to_pylist(), sizes, GROUP_BYTES):
            group = rows.slice(share.start, len(share))
            bodies = [(folder / name).read_bytes() for name in group[NAME].to_pylist()]
            writer.write_table(group.add_column(1, field, [bodies]), row_group_size=len(share))
            yield sum(map(len, bodies))


def _write_tar(path: Path, folder: Path, rows: pa.Table, _: Sequence[int]) -> Iterator[int]:
    """Write a shard without anything that is not content: times, owners, permissions."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in rows[NAME].to_pylist():
            with (folder / name).open("rb") as file:
                entry = tarfile.TarInfo(name)
                entry.size = os.fstat(file.fileno()).st_size
                entry.mode = MODE
                archive.addfile(entry, file)
                yield entry.size
