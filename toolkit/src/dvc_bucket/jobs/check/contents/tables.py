"""Tables: the first differing column and row, and how many rows differ."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.jobs.check.contents.tolerance import Limit, Limits
from dvc_bucket.jobs.check.findings import Difference

if TYPE_CHECKING:
    import pyarrow as pa

#: How many differing values are kept for a closer look.
PAIRS = 20

#: How long a value is that is shown whole.
MAX_VALUE_LENGTH = 60


@dataclass(frozen=True)
class Table:
    """A table that is read a column at a time, so that one column of each is in memory.

    Attributes:
        schema: names and types of its columns.
        rows: how many.
        column: one of them, by name, in one piece.
        writer: which program wrote the file, where it says.
        is_text: the types are read off the values, as of CSV.
    """

    schema: "pa.Schema"
    rows: int
    column: "Callable[[str], pa.Array]"
    writer: str = ""
    is_text: bool = False


def compare(recorded: Path, found: Path, limits: Limits) -> Difference | None:
    """How the tables differ; None if one cannot be read as such."""
    import pyarrow as pa

    try:
        before, after = READERS[recorded.suffix](recorded), READERS[found.suffix](found)
    except (OSError, ValueError, pa.ArrowException):
        return None
    names = before.schema.names
    if names != after.schema.names:
        return Difference(_other_columns(names, after.schema.names))
    for name in [] if before.is_text else names:
        types = before.schema.field(name).type, after.schema.field(name).type
        if types[0] != types[1]:
            return Difference(f"column {name} was {types[0]} and is {types[1]}")
    return _compare_values(before, after, limits)


def _compare_values(before: Table, after: Table, limits: Limits) -> Difference:
    import pyarrow.compute as pc

    rows = min(before.rows, after.rows)
    wrong, text, pairs, largest = None, "", [], 0.0
    for name in before.schema.names:
        one, other = _alike(before.column(name).slice(0, rows), after.column(name).slice(0, rows))
        differs, passed = _differing(one, other, limits.of(name))
        largest = max(largest, passed)
        if not pc.any(differs).as_py():
            continue
        wrong = differs if wrong is None else pc.or_(wrong, differs)
        places = pc.indices_nonzero(differs)
        pairs += [_pair(one, other, place) for place in places[:PAIRS].to_pylist()]
        if not text:
            first = places[0].as_py()
            old, new = _pair(one, other, first)
            text = f"column {name}, row {first + 1:,}: {old} became {new}"
    count = pc.sum(wrong).as_py() if wrong is not None else 0
    if before.rows != after.rows:
        said = f"{after.rows:,} rows instead of {before.rows:,}"
        where = f"; first: {text}" if text else f"; the first {rows:,} are the same"
        return Difference(said + where, pairs=tuple(pairs))
    if count:
        return Difference(f"{text}; {count:,} of {rows:,} rows differ", pairs=tuple(pairs))
    if largest:
        return Difference("all within tolerance", largest, tolerated=True)
    return Difference(_other_file(before, after), tolerated=not limits.are_exact)


def _alike(one: "pa.Array", other: "pa.Array") -> "tuple[pa.Array, pa.Array]":
    """Two columns of one type: where CSV has whole numbers and others, or numbers and text."""
    import pyarrow as pa

    if one.type == other.type:
        return one, other
    wanted = pa.float64() if _are_numbers((one.type, other.type)) else pa.string()
    return one.cast(wanted), other.cast(wanted)


def _differing(one: "pa.Array", other: "pa.Array", limit: Limit) -> "tuple[pa.Array, float]":
    """Where values differ by more than the limit; and the largest difference that it let pass."""
    import pyarrow as pa
    import pyarrow.compute as pc

    nulls = pc.xor(one.is_null(), other.is_null())
    if pa.types.is_nested(one.type):
        same = [a == b for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True)]
        return pc.invert(pa.array(same, pa.bool_())), 0.0
    differs = pc.fill_null(pc.not_equal(one, other), False)
    if pa.types.is_floating(one.type):
        nans = pc.and_(*(pc.fill_null(pc.is_nan(values), False) for values in (one, other)))
        differs = pc.and_(differs, pc.invert(nans))
    largest = 0.0
    if not limit.is_exact and _are_numbers((one.type, other.type)):
        old, new = one.cast(pa.float64()), other.cast(pa.float64())
        away = pc.fill_null(pc.abs(pc.subtract(new, old)), 0.0)
        allowed = pc.add(limit.absolute, pc.multiply(limit.relative, pc.abs(old)))
        near = pc.fill_null(pc.less_equal(away, allowed), False)
        largest = pc.max(pc.if_else(pc.and_(differs, near), away, 0.0)).as_py() or 0.0
        differs = pc.and_(differs, pc.invert(near))
    return pc.or_(nulls, differs), largest


def _are_numbers(types: "tuple[pa.DataType, pa.DataType]") -> bool:
    import pyarrow as pa

    return all(pa.types.is_integer(one) or pa.types.is_floating(one) for one in types)


def _pair(one: "pa.Array", other: "pa.Array", place: int) -> tuple[str, str]:
    return _shown(one[place].as_py()), _shown(other[place].as_py())


def _shown(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 3]}..."


def _other_columns(before: list[str], after: list[str]) -> str:
    lost = [name for name in before if name not in after]
    new = [name for name in after if name not in before]
    said = [f"column {lost[0]} is not there any more"] if lost else []
    said += [f"column {new[0]} is new"] if new else []
    return "; ".join(said) or "the columns are in another order"


def _other_file(before: Table, after: Table) -> str:
    """What can be said of two files with the same values."""
    said = f"the same {before.rows:,} rows, stored otherwise"
    if before.is_text:
        return f"{said}: digits, quotes or line ends"
    if before.writer != after.writer:
        return f"{said}: written by {after.writer}, was {before.writer}"
    if not before.schema.equals(after.schema, check_metadata=True):
        return f"{said}: other metadata"
    return f"{said}: row groups, encoding or compression"


def _parquet(file: Path) -> Table:
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(file)

    def column(name: str) -> "pa.Array":
        return _joined(pq.read_table(file, columns=[name]).column(name))

    metadata = opened.metadata
    return Table(opened.schema_arrow, metadata.num_rows, column, str(metadata.created_by))


def _csv(file: Path) -> Table:
    from pyarrow import csv

    delimiter = "\t" if file.suffix == ".tsv" else ","
    options = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    return _whole(csv.read_csv(file, parse_options=options), is_text=True)


def _feather(file: Path) -> Table:
    from pyarrow import feather

    return _whole(feather.read_table(file))


def _whole(table: "pa.Table", *, is_text: bool = False) -> Table:
    def column(name: str) -> "pa.Array":
        return _joined(table.column(name))

    return Table(table.schema, table.num_rows, column, is_text=is_text)


def _joined(values: "pa.ChunkedArray") -> "pa.Array":
    import pyarrow as pa

    joined = values.combine_chunks()
    if isinstance(joined, pa.ChunkedArray):  # text beyond 2 GB, or no chunk at all
        joined = pa.concat_arrays(joined.chunks) if joined.num_chunks else pa.array([], joined.type)
    return joined.dictionary_decode() if pa.types.is_dictionary(joined.type) else joined


#: How to read a file, by the end of its name.
READERS: dict[str, Callable[[Path], Table]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".tsv": _csv,
    ".feather": _feather,
    ".arrow": _feather,
}
