"""Tables and small files in and out, byte for byte the same for the same content.

What makes bytes differ and how it is kept out: an explicit Arrow schema, no pandas metadata, one
row-group size and compression level, one writer thread, JSON with sorted keys and rounded floats,
line feeds alone as line ends. Every file is written under a temporary name and renamed when it is
complete.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.stage import StageError

#: Rows of a row group: a month of flights fits in one, and a filter can still skip most of a year.
ROW_GROUP_ROWS = 64 * 1024

#: Decimals of floats in JSON and CSV: more than any figure here means, fewer than differ by CPU.
DECIMALS = 6


def read_parquet(
    path: Path,
    columns: list[str] | None = None,
    *,
    categories: list[str] | None = None,
    pattern: str = "*.parquet",
) -> pd.DataFrame:
    """Read a Parquet file, or those of a folder that fit `pattern`, in the order of their names.

    The text columns in `categories` come as pandas categories, a code a row instead of a string.

    Raises:
        StageError: there is nothing at `path`, or it is not Parquet.
    """
    files = sorted(path.glob(pattern)) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise StageError(f"{path}: no Parquet file there. Run the stage that makes it: dvc repro.")
    try:
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
        table = pa.concat_tables(tables).unify_dictionaries()
    except (pa.ArrowInvalid, pa.ArrowKeyError, OSError) as error:
        raise StageError(f"{path}: cannot be read as Parquet: {error}") from None
    del tables
    # Each column is freed once it is converted, and Arrow's pool hands its pages back: what a
    # stage then holds is its frame, not the file it came from.
    frame: pd.DataFrame = table.to_pandas(
        split_blocks=True, self_destruct=True, use_threads=False, date_as_object=False
    )
    del table
    pa.default_memory_pool().release_unused()
    return frame


def split_by(column: str, pieces: Iterable[pd.DataFrame], folder: Path) -> dict[int, Path]:
    """Write the rows of each value of a column, in their order, to an Arrow file of its own.

    Args:
        column: of whole numbers.
        pieces: frames of the same columns and types; one is in memory at a time.
        folder: for the files; made.

    Returns:
        The files, by value; `pandas.read_feather` reads them.
    """
    folder.mkdir(parents=True)
    files: dict[int, Path] = {}
    with ExitStack() as open_files:
        writers: dict[int, pa.RecordBatchWriter] = {}
        for piece in pieces:
            for found, rows in piece.groupby(column, sort=True):
                value = cast("int", found)
                table = pa.Table.from_pandas(rows, preserve_index=False, nthreads=1)
                if value not in writers:
                    files[value] = folder / f"{value}.arrow"
                    writer = pa.ipc.new_file(str(files[value]), table.schema)
                    writers[value] = open_files.enter_context(writer)
                writers[value].write_table(table)
    return files


def conform(frame: pd.DataFrame, schema: pa.Schema, key: list[str]) -> pd.DataFrame:
    """The columns of `schema`, in its order, with the rows sorted by the unique `key`."""
    columns: list[str] = schema.names
    return frame[columns].sort_values(key, ignore_index=True)


def write_parquet(frame: pd.DataFrame, schema: pa.Schema, path: Path) -> None:
    """Write `frame` as one Parquet file with exactly the columns and types of `schema`.

    The caller sorts the rows by a unique key.

    Raises:
        StageError: a column is missing or does not fit its type.
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


def write_json(content: Any, path: Path) -> None:
    """Write JSON with sorted keys and floats rounded to `DECIMALS`."""
    text = json.dumps(rounded(content), indent=2, sort_keys=True, allow_nan=False)
    write_text(text + "\n", path)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        StageError: it is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError) as error:
        raise StageError(f"{path}: cannot be read as JSON: {error}") from None


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a small table for `dvc plots` with floats rounded to `DECIMALS`."""
    write_text(frame.round(DECIMALS).to_csv(index=False, lineterminator="\n"), path)


def write_text(text: str, path: Path) -> None:
    """Write UTF-8 text with line feeds alone as line ends."""
    with complete_or_absent(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def rounded(content: Any) -> Any:
    """`content` with every float in it rounded to `DECIMALS`."""
    if isinstance(content, float):
        return round(content, DECIMALS)
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [rounded(value) for value in content]
    return content


@contextmanager
def complete_or_absent(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, file or folder, renamed to it if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    remove(temporary)
    try:
        yield temporary
        if temporary.is_dir():
            remove(path)
        temporary.replace(path)
    finally:
        remove(temporary)


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """A folder for what nobody needs after the block, and what a killed one left is gone, too."""
    remove(path)
    is_first = not path.parent.exists()
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        remove(path)
        if is_first:
            with suppress(OSError):
                path.parent.rmdir()  # if nothing else came into it


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
