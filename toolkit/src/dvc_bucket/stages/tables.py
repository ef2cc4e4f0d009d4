"""Parquet in and out, byte for byte the same for the same content.

What makes bytes differ and how it is kept out: an explicit Arrow schema, no pandas metadata, one
row-group size and compression level, one writer thread. A file is written under a temporary name
and renamed when it is complete.
"""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dvc_bucket.base.errors import StageError
from dvc_bucket.stages.outputs import complete_or_absent

#: Rows of a row group: some megabytes, so that a filter can skip most of a large file.
ROW_GROUP_ROWS = 64 * 1024


def read_parquet(
    path: Path,
    columns: list[str] | None = None,
    *,
    categories: list[str] | None = None,
    pattern: str = "*.parquet",
) -> pd.DataFrame:
    """Read a Parquet file, or the files of a folder that match `pattern`, in order of their names.

    Args:
        path: of a file or folder.
        columns: to read; None for all.
        categories: text columns to read as pandas categories, with one code per row instead of a
            string.
        pattern: of file names in a folder, as for `Path.glob`.

    Raises:
        StageError: `path` does not exist, is not Parquet or lacks a column, a page checksum does
            not match, or the files of a folder have different columns.
    """
    files = sorted(path.glob(pattern)) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise StageError(
            f"{path}: the Parquet file does not exist. Run the stage that writes it: dvc repro."
        )
    try:
        table = _as_one(files, columns, categories)
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise StageError(f"{path}: cannot be read as Parquet: {error}") from None
    # Each column is freed once it is converted, and Arrow's pool hands its pages back: what a
    # stage then holds is its frame, not the file it came from.
    frame: pd.DataFrame = table.to_pandas(
        split_blocks=True, self_destruct=True, use_threads=False, date_as_object=False
    )
    del table
    pa.default_memory_pool().release_unused()
    return frame


def _as_one(
    files: Iterable[Path], columns: list[str] | None, categories: list[str] | None
) -> pa.Table:
    """The rows of all files."""
    tables = [
        pq.read_table(
            file,
            columns=columns,
            read_dictionary=categories,
            use_threads=False,
            page_checksum_verification=True,
        )
        for file in files
    ]
    return pa.concat_tables(tables).unify_dictionaries()


def split_by(column: str, pieces: Iterable[pd.DataFrame], folder: Path) -> dict[int, Path]:
    """Write the rows of each value of a column, in their order, to a separate Arrow file.

    Args:
        column: of whole numbers.
        pieces: frames with the same columns and types; one is in memory at a time.
        folder: for the files; it is created.

    Returns:
        The files, by value; `pandas.read_feather` reads them.
    """
    folder.mkdir(parents=True)
    files: dict[int, Path] = {}
    with ExitStack() as open_files:
        writers: dict[int, pa.RecordBatchWriter] = {}
        for piece in pieces:
            for group, rows in piece.groupby(column, sort=True):
                value = cast("int", group)
                table = pa.Table.from_pandas(rows, preserve_index=False, nthreads=1)
                if value not in writers:
                    files[value] = folder / f"{value}.arrow"
                    writer = pa.ipc.new_file(str(files[value]), table.schema)
                    writers[value] = open_files.enter_context(writer)
                writers[value].write_table(table)
    return files


def conform(frame: pd.DataFrame, schema: pa.Schema, key: list[str]) -> pd.DataFrame:
    """The columns of `schema`, in its order, with the rows sorted by the unique `key`.

    Returns:
        A new frame with an index from 0.
    """
    columns: list[str] = schema.names
    return frame[columns].sort_values(key, ignore_index=True)


def write_parquet(frame: pd.DataFrame, schema: pa.Schema, path: Path) -> None:
    """Write `frame` as one Parquet file with exactly the columns and types of `schema`.

    Sort the rows by a unique key first (`conform` does). The bytes depend on the rows, the schema
    and the release of pyarrow. Each page has a checksum, which `read_parquet` checks.

    Args:
        frame: has at least the columns of `schema`, in any order; other columns are not written.
        schema: names, types and order of the columns.
        path: of the file; missing parent folders are created.

    Raises:
        StageError: a column is missing or does not fit its type. Nothing is written.
    """
    try:
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False, nthreads=1)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, KeyError) as error:
        raise StageError(f"{path}: the table does not fit its schema: {error}") from None
    with complete_or_absent(path) as temporary:
        pq.write_table(
            table.replace_schema_metadata(None),
            temporary,
            row_group_size=ROW_GROUP_ROWS,
            compression="zstd",
            compression_level=3,
            write_page_checksum=True,
        )
