"""Tables of any kind, drawn by hypothesis: types, files, folders, columns and a filter."""

import datetime
import decimal
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from hypothesis import strategies as st
from pyarrow import csv, feather, parquet

UTC = datetime.UTC
FIRST, LAST = datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)

words = st.text("abc é", min_size=1, max_size=5).map(lambda word: f"w{word}w")
whole = st.integers(-5, 5)
moments = st.datetimes(FIRST, LAST)

#: Types of columns, and values of theirs.
TYPES: Mapping[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "int32": (pa.int32(), whole),
    "int64": (pa.int64(), whole | st.just(2**62)),
    "uint8": (pa.uint8(), st.integers(0, 5)),
    "float64": (pa.float64(), st.floats(-5, 5) | st.just(math.nan)),
    "float32": (pa.float32(), st.floats(-5, 5, width=32)),
    "bool": (pa.bool_(), st.booleans()),
    "string": (pa.string(), words | st.just("")),
    "large": (pa.large_string(), words),
    "binary": (pa.binary(), st.binary(max_size=4)),
    "dictionary": (
        pa.dictionary(pa.int32(), pa.string()),
        st.sampled_from(["one", "two", "three"]),
    ),
    "decimal": (
        pa.decimal128(9, 2),
        st.integers(-999, 999).map(lambda cents: decimal.Decimal(cents).scaleb(-2)),
    ),
    "zoned": (
        pa.timestamp("us", "Europe/Zurich"),
        moments.map(lambda time: time.replace(tzinfo=UTC)),
    ),
    "moment": (pa.timestamp("ms"), moments.map(lambda time: time.replace(microsecond=0))),
    "date": (pa.date32(), st.dates(FIRST.date(), LAST.date())),
    "list": (pa.list_(pa.int64()), st.lists(whole | st.none(), max_size=3)),
    "struct": (
        pa.struct([("a", pa.int64()), ("b", pa.string())]),
        st.fixed_dictionaries({"a": whole | st.none(), "b": words}),
    ),
}

#: Those that CSV can hold, without nulls; their types are found by the values.
IN_CSV = ("int64", "string")

#: Columns that a filter can be about.
ORDERED = ("int32", "int64", "uint8", "float32", "string", "large", "decimal", "date")


@dataclass(frozen=True)
class Generated:
    """Files of a table, and what is read of them.

    Attributes:
        files: contents by path below the folder of the table.
        whole: all columns and rows, in order.
        columns: that are read; None for all.
        rows: the filter; None for all.
        more: a column of numbers, to narrow the table further; None if it has none.
    """

    files: Mapping[str, bytes]
    whole: pa.Table
    columns: Sequence[str] | None
    rows: ds.Expression | None
    more: str | None

    @property
    def wanted(self) -> pa.Table:
        """Its columns and rows."""
        columns = None if self.columns is None else list(self.columns)
        return ds.dataset(self.whole).to_table(columns=columns, filter=self.rows)


@st.composite
def generated(draw: st.DrawFn) -> Generated:
    """A table."""
    form = draw(st.sampled_from(["parquet", "parquet", "csv", "arrow"]))
    possible = IN_CSV if form == "csv" else list(TYPES)
    kinds = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=4))
    schema = pa.schema((f"{kind}_{at}", TYPES[kind][0]) for at, kind in enumerate(kinds))
    parted = draw(st.sampled_from(["", "", "number", "word"]))
    files, parts = {}, []
    for number in range(draw(st.integers(1, 4))):
        part = draw(rows_of(schema, kinds, can_be_null=form != "csv"))
        if number and form == "parquet":
            part = draw(narrowed(part))
        # Folders and files have one order: that of their numbers.
        folder = {"": "", "number": f"number={number // 2}/", "word": f"word={'xy'[number // 2]}/"}
        files[f"{folder[parted]}{number}.{form}"] = content_of(part, form)
        missing = [name for name in schema.names if name not in part.schema.names]
        for name in missing:
            part = part.append_column(name, pa.nulls(len(part), schema.field(name).type))
        part = part.select(schema.names).cast(schema)
        if parted:
            value = pa.scalar(number // 2 if parted == "number" else "xy"[number // 2])
            part = part.append_column(parted, pa.repeat(value, len(part)))
        parts.append(part)
    whole = pa.concat_tables(parts)
    every = list(whole.schema.names)
    columns = draw(st.none() | st.lists(st.sampled_from(every), unique=True, min_size=1))
    rows = draw(st.none() | filters(whole, kinds + ([parted] if parted else [])))
    more = [name for name in columns or every if name.startswith(("int", "uint", "float"))]
    return Generated(files, whole, columns, rows, more[0] if more else None)


@st.composite
def narrowed(draw: st.DrawFn, part: pa.Table) -> pa.Table:
    """The rows in a file that lacks a column, or has a narrower one."""
    for number, field in enumerate(part.schema):
        values = [value for value in part.column(number).to_pylist() if value is not None]
        if field.type == pa.int64() and draw(st.booleans()) and max(values, default=0) < 2**31:
            part = part.set_column(number, field.name, part.column(number).cast(pa.int32()))
    if part.num_columns > 1 and draw(st.booleans()):
        part = part.remove_column(draw(st.integers(0, part.num_columns - 1)))
    return part


@st.composite
def rows_of(draw: st.DrawFn, schema: pa.Schema, kinds: Sequence[str], *, can_be_null: bool) -> Any:
    """Rows of one file; one of CSV has some, by which the types are found."""
    count = draw(st.integers(0 if can_be_null else 1, 8))
    arrays = []
    for field, kind in zip(schema, kinds, strict=True):
        values = TYPES[kind][1] if can_be_null else {"int64": whole, "string": words}[kind]
        value = values | st.none() if can_be_null else values
        arrays.append(pa.array(draw(st.lists(value, min_size=count, max_size=count)), field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def content_of(table: pa.Table, form: str) -> bytes:
    """A file of it."""
    sink = io.BytesIO()
    if form == "csv":
        csv.write_csv(table, sink)
    elif form == "arrow":
        feather.write_feather(table, sink)
    else:
        parquet.write_table(table, sink, row_group_size=3, write_page_checksum=True)
    return sink.getvalue()


@st.composite
def filters(draw: st.DrawFn, table: pa.Table, kinds: Sequence[str]) -> ds.Expression:
    """Conditions on its columns, with values of theirs, joined by and, or, and not."""
    made = draw(condition(table, kinds))
    for _ in range(draw(st.integers(0, 2))):
        other = draw(condition(table, kinds))
        joined: Callable[[ds.Expression], ds.Expression] = draw(
            st.sampled_from([made.__and__, made.__or__, lambda one, made=made: made & ~one])
        )
        made = joined(other)
    return made


@st.composite
def condition(draw: st.DrawFn, table: pa.Table, kinds: Sequence[str]) -> ds.Expression:
    """One of them."""
    number = draw(st.integers(0, len(kinds) - 1))
    field, kind = ds.field(table.schema.names[number]), kinds[number]
    if kind not in (*ORDERED, "number", "word"):
        return field.is_null() if draw(st.booleans()) else field.is_valid()
    column = table.column(number)
    values = [value for value in column.to_pylist() if value is not None]
    if not values:
        return field.is_null()
    one = pa.scalar(draw(st.sampled_from(values)), column.type)
    if draw(st.booleans()):
        few = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
        return field.isin(pa.array(few, column.type))
    return draw(st.sampled_from([field > one, field <= one, field == one, field != one]))


def plain(value: Any) -> Any:
    """A value as every library gives it: times in UTC, nothing that is not equal to itself."""
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, datetime.datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return bytes(value) if isinstance(value, (bytearray, memoryview)) else value


def rows(table: Any) -> list[Any]:
    """Rows of a table of Arrow, of a frame of polars, or of a relation of duckdb."""
    if hasattr(table, "to_arrow_table"):
        table = table.to_arrow_table()
    if not isinstance(table, pa.Table):
        return [plain(row) for row in table.rows()]
    columns = (column.to_pylist() for column in table.columns)
    return [plain(row) for row in zip(*columns, strict=True)]
