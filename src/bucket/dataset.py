"""Tables and files that DVC tracks, read from where they are: this disk, or else the remote.

pyarrow's own S3 file system reads from the remote: of Parquet, only the bytes of the columns and
row groups that are asked for cross the wire. Many small files come whole instead: what a file of
some kilobytes costs is its requests.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import fs as filesystems

from bucket import clients, foreign, tracked
from bucket.errors import BucketError, ProjectError
from bucket.paths import Project
from bucket.settings import Settings
from bucket.table import Fetch, Table
from bucket.tracked import Tracked
from bucket.whole_files import WholeFiles, place

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

#: Requests that are under way at a time: pyarrow's own 8 leave a store that is far away idle.
REQUESTS = 32

#: A plain file is read over the wire in pieces of this size.
PIECE_BYTES = 1024 * 1024


class FormatError(BucketError):
    """No table is read from files of this kind."""


@dataclass(frozen=True)
class Source:
    """Files in one place.

    Attributes:
        filesystem: where they are.
        files: path for a person, path for the file system, size in bytes or None.
        fetch: gets a file whole, by its path for the file system, where that is faster; else None.
    """

    filesystem: filesystems.FileSystem
    files: Sequence[tuple[str, str, int | None]]
    fetch: Fetch | None = None


def open_dataset(
    path: str | Path,
    rev: str | None = None,
    columns: Sequence[str] | None = None,
    filter: ds.Expression | None = None,
    remote: str | None = None,
    *,
    repo: str | None = None,
    settings: Settings | None = None,
) -> Table:
    """Open a table that DVC tracks: a Parquet, CSV or Arrow file, or a directory of them.

    Without `rev` the workspace's files are read if they are there, as they are. Otherwise it is the
    content that DVC recorded: from the cache on this machine, or else streamed from the remote.
    Nothing is written to disk.

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

    Raises:
        NotTrackedError: DVC does not track the path at that revision.
        NotPushedError: it does, and the remote does not have the data.
        RevisionError: there is no such revision, or repository.
        FormatError: the files are of no kind, or several kinds, of table.
        ProjectError, SettingsError, TransferError: as everywhere in this package.
    """
    return opened(locate(path, rev, remote, repo, settings), str(path), columns, filter)


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
    table.columns, table.rows, table.fetch = columns, rows, source.fetch
    return table


def open_file(
    path: str | Path,
    rev: str | None = None,
    remote: str | None = None,
    *,
    repo: str | None = None,
    settings: Settings | None = None,
) -> BinaryIO:
    """Open any file that DVC tracks, for reading bytes; `seek` goes anywhere.

    Args and errors are those of `open_dataset`.
    """
    source = locate(path, rev, remote, repo, settings)
    if len(source.files) != 1 or source.files[0][0] != _asked(path, repo):
        raise FormatError(f"{path} is a directory. Name one of its files: `bucket ls {path}`.")
    stream = source.filesystem.open_input_file(source.files[0][1])
    return io.BufferedReader(stream, PIECE_BYTES)


def locate(
    path: str | Path,
    rev: str | None = None,
    remote: str | None = None,
    repo: str | None = None,
    settings: Settings | None = None,
) -> Source:
    """Where the files are that `open_dataset` of the same arguments reads."""
    here = _local(path) if rev is None and repo is None else None
    return here or _recorded(tracked.find(path, rev, remote, repo, settings))


def _asked(path: str | Path, repo: str | None) -> str:
    project = foreign.clone(repo) if repo else Project.find()
    return tracked.inside(project, path)


def _local(path: str | Path) -> Source | None:
    """The files of the workspace, if they are there."""
    try:
        project = Project.find()
    except ProjectError:
        return None
    whole = project.root / tracked.inside(project, path)
    found = [whole] if whole.is_file() else sorted(whole.rglob("*")) if whole.is_dir() else []
    files = [file for file in found if file.is_file() and not file.name.startswith(".")]
    files = [file for file in files if file.suffix != ".dvc"]
    if not files:
        return None
    named = [file.relative_to(project.root).as_posix() for file in files]
    places = [(name, str(file), None) for name, file in zip(named, files, strict=True)]
    return Source(filesystems.LocalFileSystem(), places)


def _recorded(found: Tracked) -> Source:
    """The files as DVC recorded them: all from the cache, or all from the remote."""
    cached = [found.cached(file) for file in found.files]
    if all(path.is_file() for path in cached):
        places = [
            (file.path, str(path), None) for file, path in zip(found.files, cached, strict=True)
        ]
        return Source(filesystems.LocalFileSystem(), places)
    return remote_source(found)


def remote_source(found: Tracked) -> Source:
    """The files on the remote.

    Raises:
        NotPushedError: one is not there.
        TransferError: the store refused or could not be reached.
    """
    whole = WholeFiles.of(found)
    sizes: Mapping[str, int] = {} if whole else tracked.sizes(found)
    pa.set_io_thread_count(max(REQUESTS, pa.io_thread_count()))
    objects = [(one.path, place(found, one), sizes.get(one.path)) for one in found.files]
    return Source(clients.pyarrow(found.remote.settings), objects, whole)


def _table(source: Source) -> Table:
    """The files as one table, with the schema of the first."""
    kinds = {PurePosixPath(name).suffix for name, _, _ in source.files}
    if len(kinds) != 1 or not (kind := FORMATS.get(next(iter(kinds)))):
        raise FormatError(
            f"{source.files[0][0]} and its like end in {', '.join(sorted(kinds)) or 'nothing'}: a "
            f"table is of one kind, {', '.join(FORMATS)}. `open_file` reads anything."
        )
    file_format = _format(kind)
    expression, fields = _partitions([name for name, _, _ in source.files])
    fragments = [
        file_format.make_fragment(
            place, source.filesystem, partition_expression=expression(name), file_size=size
        )
        for name, place, size in source.files
    ]
    schema = fragments[0].physical_schema
    for field in fields:
        schema = schema.append(field)
    return Table(fragments, schema, file_format, source.filesystem)


def _format(kind: str) -> ds.FileFormat:
    known = {"parquet": ds.ParquetFileFormat, "csv": ds.CsvFileFormat, "ipc": ds.IpcFileFormat}
    return known[kind]()


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
        (column, pa.int64() if all(map(NUMBER.fullmatch, found)) else pa.string())
        for column, found in values.items()
    )
    partitioning = ds.partitioning(schema, flavor="hive")
    return partitioning.parse, list(schema)
