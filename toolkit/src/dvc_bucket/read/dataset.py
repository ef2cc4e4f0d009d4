"""Tables and files that DVC tracks, read from where they are: this disk, or else the remote.

pyarrow's own S3 file system reads from the remote: of Parquet, only the bytes of the columns and
row groups that are asked for cross the wire. Many small files come whole instead: what a file of
some kilobytes costs is its requests.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.dataset as ds

from dvc_bucket.base.errors import FormatError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.read import layout
from dvc_bucket.read.fetched import IN_MEMORY, THREADS
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.read.proof import Proven
from dvc_bucket.read.sources import Source, locate
from dvc_bucket.read.table import Table


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

    Without `rev`, it reads the files of the workspace if they exist; otherwise what DVC recorded,
    from the cache or streamed from the remote, proven as the page "What is proven" says.

    Args:
        path: from the project's root, or absolute. In a directory, a folder `column=value` gives a
            column, and names that begin with `_` or `.` are ignored.
        rev: branch, tag or commit.
        columns: to read; None for all. Where a file lacks one, it is null; the widest type counts.
        filter: rows to read, such as `pyarrow.dataset.field("dep_delay") > 60`.
        remote: DVC's name of the remote; None for the default one.
        repo: URL or folder of another repository, which names bucket and prefix; endpoint and keys
            are yours. None for the project around the current folder.
        settings: the connection; None for the environment and your `.env`.
        proven: "full" to read recorded content, also without `rev`, and to hash all of it first: in
            the cache each time, on the remote once for each version of the object.

    Raises:
        NotTrackedError: DVC does not track the path at that revision.
        NotPushedError: DVC tracks the path, but the remote does not have the data.
        ChecksumError: a file differs from what DVC recorded; reading the table can raise it, too.
        RevisionError: the revision or repository does not exist.
        FormatError: the files are not tables, or are tables of several kinds.
        ProjectError, SettingsError, TransferError: as everywhere in this package.
    """
    source = locate(path, rev, remote, repo, settings, proven)
    reopen = None if settings else _reopener(source, path, remote, repo, proven)
    return opened(source, str(path), columns, filter, reopen)


def _reopener(
    source: Source, path: str | Path, remote: str | None, repo: str | None, proven: Proven | None
) -> Callable[..., Table]:
    """Opens the same table in another process, which has its own connection."""
    commit = source.data.commit if source.proof else None
    root = None if repo else Project.find().root
    return partial(_reopened, root, path, commit, remote, repo, proven)


def _reopened(
    root: Path | None,
    path: str | Path,
    rev: str | None,
    remote: str | None,
    repo: str | None,
    proven: Proven | None,
    columns: Sequence[str] | None,
    rows: ds.Expression | None,
) -> Table:
    """A table that was opened in another process."""
    source = locate(path, rev, remote, repo, proven=proven, start=root)
    reopen = partial(_reopened, root, path, rev, remote, repo, proven)
    return opened(source, str(path), columns, rows, reopen)


def opened(
    source: Source,
    title: str,
    columns: Sequence[str] | None,
    rows: ds.Expression | None,
    reopen: Callable[..., Table] | None = None,
) -> Table:
    """Open files as one table.

    Raises:
        FormatError: they are of no kind, or several kinds, or have no such columns.
    """
    table = _table(source, rows)
    layout.check_columns(table.schema.names, columns or (), title)
    return Table(table.plain, source, columns, rows, reopen)


def open_file(
    path: str | Path,
    rev: str | None = None,
    remote: str | None = None,
    *,
    repo: str | None = None,
    settings: Settings | None = None,
    proven: Proven | None = None,
) -> BinaryIO:
    """Open any file that DVC tracks for reading bytes, with `seek`.

    Recorded content is hashed as it is read. If all of it is read in order and its MD5 differs from
    the record, the last read raises ChecksumError. Parts are proven as in `open_dataset`. If the
    object is overwritten after it was opened, the next read raises ChecksumError.

    Args and errors are those of `open_dataset`.
    """
    source = locate(path, rev, remote, repo, settings, proven)
    if [name for name, _, _ in source.files] != [source.path]:
        raise FormatError(f"{path} is a directory. Name one of its files: `bucket ls {path}`.")
    return source.open(source.files[0][1])


def _table(source: Source, rows: ds.Expression | None) -> Table:
    """The files as one table.

    Raises:
        FormatError: they are of no kind, or several kinds, of table, or their columns do not fit.
    """
    files = [file for file in source.files if layout.is_data(file[0], source.path)]
    names = [name for name, _, _ in files]
    file_format = layout.format_of(layout.kind_of(names, source.path or "The project"))

    def fragments_of(expression: Callable[[str], ds.Expression]) -> list[ds.Fragment]:
        return [
            file_format.make_fragment(
                place, source.filesystem, partition_expression=expression(name), file_size=size
            )
            for name, place, size in files
        ]

    expression, fields = layout.partitions(names)
    fragments = fragments_of(expression)
    schema = _schema(source, fragments[0])
    if {field.name for field in fields} & set(schema.names):
        expression, fields = layout.partitions(names, schema)
        fragments = fragments_of(expression)
    by_place = {place: name for name, place, _ in files}

    def whole(schemas: Iterable[tuple[str, pa.Schema]]) -> ds.FileSystemDataset:
        of_files = layout.unified(schemas)
        added = [field for field in fields if field.name not in of_files.names]
        schema = pa.schema([*of_files, *added], of_files.metadata)
        return ds.FileSystemDataset(fragments, schema, file_format, source.filesystem)

    table = whole([(names[0], schema)])
    if not source.is_whole:  # a small file shows its columns when it is fetched
        wanted = _wanted(table, rows)
        looked = prefetch(partial(_schema, source), wanted, threads=THREADS, count=IN_MEMORY)
        named = zip((by_place[fragment.path] for fragment in wanted), looked, strict=True)
        table = whole([(names[0], schema), *named])
    return Table(table, source)


def _schema(source: Source, fragment: ds.Fragment) -> pa.Schema:
    """The columns of a file.

    Raises:
        FormatError: it is of another kind than its name says.
    """
    try:
        with source.judged([fragment.path]):
            content = source.fetch(fragment.path)
            looked = fragment if content is None else fragment.format.make_fragment(content)
            return looked.physical_schema
    except pa.ArrowInvalid as error:
        name = next(name for name, place, _ in source.files if place == fragment.path)
        raise layout.of_another_kind(name, error) from None


def _wanted(table: ds.FileSystemDataset, rows: ds.Expression | None) -> list[ds.Fragment]:
    """The files that can have such rows, by their partitions."""
    try:
        return list(table.get_fragments(rows))
    except pa.ArrowInvalid:  # a column that the first file lacks
        return list(table.get_fragments())
