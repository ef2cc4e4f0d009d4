"""Tables and files that DVC tracks, read from where they are: this disk, or else the remote.

pyarrow's own S3 file system reads from the remote: of Parquet, only the bytes of the columns and
row groups that are asked for cross the wire. Many small files come whole instead: what a file of
some kilobytes costs is its requests.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.dataset as ds

from dvc_bucket.base.errors import FormatError
from dvc_bucket.connection.settings import Settings
from dvc_bucket.read.proof import Proven
from dvc_bucket.read.sources import Source, locate
from dvc_bucket.read.table import Table

#: Formats by the end of a file's name, as pyarrow calls them.
FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".arrow": "ipc",
    ".feather": "ipc",
    ".ipc": "ipc",
}

#: The value of a column in the name of a folder that is a whole number.
NUMBER = re.compile(r"-?[0-9]{1,18}")


def open_dataset(
    path: str | Path,
    rev: str | None = None,
    columns: Sequence[str] | None = None,
    filter: ds.Expression | None = None,
    remote: str | None = None,
    *,
    repo: str | None = None,
    settings: Settings | None = None,
    proven: Proven | None = None,
) -> Table:
    """Open a table that DVC tracks: a Parquet, CSV or Arrow file, or a directory of them.

    Without `rev` the workspace's files are read if they are there, as they are. Otherwise it is the
    content that DVC recorded: from the cache on this machine, or else streamed from the remote.
    Nothing is written to disk.

    Recorded content is proven as far as it is read:

    - Many small files, and CSV files: by the MD5 of the whole. The last piece (4 MB) of a larger
      CSV file raises, when batches of the others have been delivered.
    - Large Parquet and Arrow files on the remote, of which ranges are read: the object's size and
      its ETag, if that is an MD5, must be the recorded ones. An object of another MD5 is read whole
      once: it may be encrypted. If the ETag is no MD5 (an upload in parts), the object must be the
      version that the note of its last proof names, or it is read whole again; without a note
      nothing is proven.
    - Pages of Parquet files with page checksums, on the remote and in the cache: by these. The
      stages here and `bucket pack` write them. Footers and headers of pages have none.

    `proven="full"` closes the gaps that are left.

    Args:
        path: from the project's root, or absolute; of a directory, `column=value` in the names of
            its folders are columns.
        rev: branch, tag or commit.
        columns: to read; None for all.
        filter: rows to read, as `pyarrow.dataset.field("dep_delay") > 60`.
        remote: DVC's name of the remote; None for the default one.
        repo: URL or folder of another repository; None for the project around the current folder.
            Its `.env` is never read. Its configuration says in which bucket and below which prefix
            the data is; endpoint and keys are yours.
        settings: the connection; None for that of the environment and of your `.env`. Needed where
            another repository names another endpoint than you do.
        proven: "full" to read recorded content, also without `rev`, and to hash all of it before:
            in the cache each time, on the remote once. `.dvc/tmp/bucket-verified` keeps a note of
            the object's version (size, ETag, time), which proves later reads of that version.

    Raises:
        NotTrackedError: DVC does not track the path at that revision.
        NotPushedError: it does, and the remote does not have the data.
        ChecksumError: a file is not what DVC recorded; reading the table can raise it, too.
        RevisionError: there is no such revision, or repository.
        FormatError: the files are of no kind, or several kinds, of table.
        ProjectError, SettingsError, TransferError: as everywhere in this package.
    """
    source = locate(path, rev, remote, repo, settings, proven)
    return opened(source, str(path), columns, filter)


def opened(
    source: Source, title: str, columns: Sequence[str] | None, rows: ds.Expression | None
) -> Table:
    """Open files as one table.

    Raises:
        FormatError: they are of no kind, or several kinds, or have no such columns.
    """
    table = _table(source)
    unknown = sorted(set(columns or ()) - set(table.schema.names))
    if unknown:
        raise FormatError(
            f"{title} has no column {', '.join(unknown)}. It has {', '.join(table.schema.names)}."
        )
    table.columns, table.rows = columns, rows
    return table


def open_file(
    path: str | Path,
    rev: str | None = None,
    remote: str | None = None,
    *,
    repo: str | None = None,
    settings: Settings | None = None,
    proven: Proven | None = None,
) -> BinaryIO:
    """Open any file that DVC tracks, for reading bytes; `seek` goes anywhere.

    Recorded content is hashed as it is read. If all of it is read in order and its MD5 is not the
    recorded one, the last read raises ChecksumError. Parts are proven as `open_dataset` proves
    ranges. The object is read in the version that was opened: if somebody writes it again, the next
    read raises ChecksumError.

    Args and errors are those of `open_dataset`.
    """
    source = locate(path, rev, remote, repo, settings, proven)
    if [name for name, _, _ in source.files] != [source.path]:
        raise FormatError(f"{path} is a directory. Name one of its files: `bucket ls {path}`.")
    return source.open(source.files[0][1])


def _table(source: Source) -> Table:
    """The files as one table, with the schema of the first.

    Raises:
        FormatError: they are of no kind, or several kinds, of table.
    """
    kinds = {PurePosixPath(name).suffix for name, _, _ in source.files}
    if len(kinds) != 1 or not (kind := FORMATS.get(next(iter(kinds)))):
        raise FormatError(
            f"{source.files[0][0]} and its like end in {', '.join(sorted(kinds)) or 'nothing'}: a "
            f"table is of one kind, {', '.join(FORMATS)}. `open_file` reads anything."
        )
    file_format = format_of(kind)
    expression, fields = _partitions([name for name, _, _ in source.files])
    fragments = [
        file_format.make_fragment(
            place, source.filesystem, partition_expression=expression(name), file_size=size
        )
        for name, place, size in source.files
    ]
    try:
        with source.judged([fragments[0].path]):
            content = source.fetch(fragments[0].path)
            first = fragments[0] if content is None else file_format.make_fragment(content)
            schema = first.physical_schema
    except pa.ArrowInvalid as error:
        said = str(error).partition("\n")[0]
        raise FormatError(f"{source.files[0][0]} is no table of the kind {kind}: {said}") from None
    for field in fields:
        schema = schema.append(field)
    table = Table(fragments, schema, file_format, source.filesystem)
    table.source = source
    return table


def format_of(kind: str) -> ds.FileFormat:
    """A format of files by pyarrow's name; of Parquet, pages are compared with their checksums."""
    if kind == "parquet":
        return ds.ParquetFileFormat(page_checksum_verification=True)
    return {"csv": ds.CsvFileFormat, "ipc": ds.IpcFileFormat}[kind]()


def _partitions(names: Sequence[str]) -> tuple[Callable[[str], Any], Sequence[Any]]:
    """What `column=value` in the folders of a file's path says, and the columns."""
    values: dict[str, set[str]] = {}
    for name in names:
        for folder in name.split("/")[:-1]:
            column, sign, value = folder.partition("=")
            if sign:
                values.setdefault(column, set()).add(value)
    # Whole numbers are numbers, as everywhere where such folders are read.
    schema = pa.schema(
        (column, pa.int64() if all(map(NUMBER.fullmatch, texts)) else pa.string())
        for column, texts in values.items()
    )
    partitioning = ds.partitioning(schema, flavor="hive")
    return partitioning.parse, list(schema)
