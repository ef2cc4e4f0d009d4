"""How files make one table: which of them are data, their format, partitions, and their schema."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import csv, types

from dvc_bucket.base.errors import FormatError

#: Formats by the end of a file's name, in lower case, as pyarrow calls them; `tsv` is ours.
FORMATS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".arrow": "ipc",
    ".feather": "ipc",
    ".ipc": "ipc",
}

#: The value of a column in the name of a folder that is a whole number, and the one that is null.
#: Source of the latter: Apache Hive's setting hive.exec.default.partition.name.
NUMBER = re.compile(r"-?[0-9]{1,18}")
NULL = "__HIVE_DEFAULT_PARTITION__"

#: How names begin that are not data, as `_SUCCESS` and `.ipynb_checkpoints`: pyarrow's rule, and
#: Spark's.
NO_DATA = ("_", ".")


def is_data(name: str, folder: str) -> bool:
    """Whether a file in a folder is data of a table, by its path below that.

    Args:
        name: path of the file, from the project's root.
        folder: path that was asked for; the file itself is always data.
    """
    below = name.removeprefix(folder).strip("/")
    return not any(part.startswith(NO_DATA) for part in below.split("/") if "=" not in part)


def kind_of(names: Sequence[str], title: str) -> str:
    """The one kind of the files.

    Raises:
        FormatError: they are of no kind, or several kinds, of table.
    """
    if not names:
        raise FormatError(f"{title} has no data; names that begin with _ or . do not count.")
    suffixes = {PurePosixPath(name).suffix.lower() for name in names}
    kinds = {FORMATS.get(suffix, "") for suffix in suffixes}
    if len(kinds) != 1 or kinds == {""}:
        raise FormatError(
            f"{names[0]} and its like end in {', '.join(sorted(suffixes)) or 'nothing'}: the files "
            f"of a table have one suffix: {', '.join(FORMATS)}. `open_file` reads any file."
        )
    return kinds.pop()


def format_of(kind: str) -> ds.FileFormat:
    """A format of files by its kind.

    Of Parquet, pages are compared with their checksums; a value of CSV can have several lines.
    """
    if kind == "parquet":
        return ds.ParquetFileFormat(page_checksum_verification=True)
    if kind == "ipc":
        return ds.IpcFileFormat()
    delimiter = "\t" if kind == "tsv" else ","
    options = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    return ds.CsvFileFormat(parse_options=options)


def partitions(
    names: Sequence[str], in_files: pa.Schema | None = None
) -> tuple[Callable[[str], Any], Sequence[pa.Field]]:
    """What `column=value` in the folders of a file's path says, and the columns.

    Args:
        names: paths of the files.
        in_files: the schema of one of them, if known: a column that it has keeps its type.
    """
    values: dict[str, set[str]] = {}
    for name in names:
        for folder in name.split("/")[:-1]:
            column, sign, value = folder.partition("=")
            if sign:
                values.setdefault(column, set()).add(value)
    # Whole numbers are numbers, as everywhere where such folders are read.
    known = in_files or pa.schema([])
    schema = pa.schema(
        known.field(column)
        if column in known.names
        else (column, pa.int64() if all(map(NUMBER.fullmatch, texts - {NULL})) else pa.string())
        for column, texts in values.items()
    )
    partitioning = ds.partitioning(schema, flavor="hive")
    return partitioning.parse, list(schema)


def unified(schemas: Iterable[tuple[str, pa.Schema]]) -> pa.Schema:
    """The schema of files together: a column that one lacks is null there, integers are widened.

    Args:
        schemas: of each file, with its path.

    Raises:
        FormatError: a column has types that have no common one, or a file has a name twice.
    """
    fields: dict[str, tuple[pa.Field, str]] = {}
    metadata = None
    for name, schema in schemas:
        _check_names(name, schema)
        metadata = metadata or schema.metadata
        for field in schema:
            if field.name not in fields:
                fields[field.name] = (field, name)
                continue
            earlier, first = fields[field.name]
            if earlier.type != field.type:
                common = _common(earlier.type, field.type)
                if common is None:
                    raise FormatError(
                        f"The column {field.name} is {field.type} in {name} and {earlier.type} in "
                        f"{first}, which have no common type. Read the files one by one."
                    )
                fields[field.name] = (field.with_type(common), name)
    return pa.schema((field for field, _ in fields.values()), metadata)


def of_another_kind(name: str, error: Exception) -> FormatError:
    """The error for a file that Arrow cannot read as the kind of its name."""
    said = str(error).partition("\n")[0]
    return FormatError(f"{name} is not a table of the kind that its suffix says: {said}")


def check_columns(names: Sequence[str], columns: Iterable[str], title: str) -> None:
    """Check that a table has these columns.

    Raises:
        FormatError: it has not.
    """
    if unknown := sorted(set(columns) - set(names)):
        existing = ", ".join(names)
        raise FormatError(f"{title} has no column {', '.join(unknown)}. It has {existing}.")


def check(name: str, schema: pa.Schema, table: pa.Schema) -> None:
    """Check a file that was not looked at before against the schema of its table.

    Raises:
        FormatError: it has a column that the table lacks, or of a type that the table cannot hold,
            or a name twice.
    """
    _check_names(name, schema)
    for field in schema:
        if field.name not in table.names:
            raise FormatError(
                f"{name} has the column {field.name}, which the first file lacks. Small files are "
                "read as one table with the columns of the first. Read them one by one, or pack "
                "them."
            )
        kind = table.field(field.name).type
        if field.type != kind and _common(field.type, kind) != kind:
            raise FormatError(
                f"The column {field.name} is {field.type} in {name} and {kind} in the first file. "
                "Small files are read with the types of the first. Read the files one by one."
            )


def _check_names(name: str, schema: pa.Schema) -> None:
    """Arrow would read one of several columns of the same name, and leave out the others."""
    for column, count in Counter(schema.names).items():
        if count > 1:
            raise FormatError(
                f"{name} has {count} columns with the name {column}; a table allows one. "
                "`open_file` reads the file as it is."
            )


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """The type that holds every value of both without loss; None if there is none."""
    if types.is_null(one) or types.is_null(other):
        return other if types.is_null(one) else one
    families = (types.is_signed_integer, types.is_unsigned_integer, types.is_floating)
    if not any(is_of(one) and is_of(other) for is_of in families):
        return None
    return max(one, other, key=lambda kind: kind.bit_width)
