"""Tables for polars and duckdb, which ask for the columns and rows that a query needs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow import types

from dvc_bucket.base.extras import needed
from dvc_bucket.connection import clients
from dvc_bucket.read.decoding import fields_of

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from dvc_bucket.read.table import Table

#: Of the toolkit.
EXTRA = "tables"

#: Types that polars reads from Parquet as it takes them from Arrow.
ALIKE = (
    *(types.is_boolean, types.is_integer, types.is_floating, types.is_date32),
    *(types.is_string, types.is_large_string, types.is_binary, types.is_large_binary),
)


class Credentials:
    """The credentials of a table's source; a copy in another process has that one's own."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def __call__(self) -> tuple[dict[str, str], None]:
        """For polars: the credentials, and that they do not end."""
        return clients.polars_credentials(self._table.source.data.remote.settings), None


def lazy_frame(table: "Table") -> "pl.LazyFrame":
    """A lazy frame; errors as of `Table.scan`."""
    with needed(EXTRA):
        import polars as pl
    if (options := _handed_over(table)) is not None:
        urls = [f"s3://{fragment.path}" for fragment in table.plain.get_fragments()]
        frame = pl.scan_parquet(
            urls,
            glob=False,
            hive_partitioning=False,
            storage_options=options,
            credential_provider=Credentials(table),
        )
        return frame if table.columns is None else frame.select(table.columns)
    from polars.io.plugins import register_io_source

    schema = pl.from_arrow(table.schema.empty_table()).schema
    return register_io_source(ArrowScan(table), schema=schema, is_pure=True)


class ArrowScan:
    """Frames of a table for polars, whose rows Arrow only narrows down.

    Arrow and polars differ where values are compared with NaN, which is larger than all others to
    polars, or where nulls are not in a list: polars has the last word.
    """

    def __init__(self, table: "Table") -> None:
        self._table = table

    def __call__(
        self,
        columns: list[str] | None,
        predicate: "pl.Expr | None",
        n_rows: int | None,
        batch_size: int | None,
    ) -> "Iterator[pl.DataFrame]":
        """As polars asks an IO plugin."""
        import polars as pl

        options = {"columns": columns, "filter": _narrowing(predicate, self._table.schema)}
        if batch_size:
            options["batch_size"] = batch_size
        left = n_rows
        for batch in self._table.to_batches(**options):
            frame = pl.DataFrame(batch)
            if predicate is not None:
                frame = frame.filter(predicate)
            if left is not None:
                frame = frame.head(left)
                left -= frame.height
            yield frame
            if left == 0:
                return


class Probe:
    """A Dataset without rows, to see which filter polars asks Arrow for."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.rows: ds.Expression | None = None

    def to_batches(self, **options: Any) -> list[pa.RecordBatch]:
        """Note the filter."""
        self.rows = options["filter"]
        return []


def _narrowing(predicate: "pl.Expr | None", schema: pa.Schema) -> ds.Expression | None:
    """A filter of Arrow that keeps all rows for which a predicate of polars holds; None for all."""
    import polars as pl

    if predicate is None:
        return None
    probe = Probe(schema)
    pl.scan_pyarrow_dataset(cast("ds.Dataset", probe)).filter(predicate).collect()
    rows = probe.rows
    if rows is not None:
        for name in fields_of(rows, schema):
            if types.is_floating(schema.field(name).type):
                rows = rows | pc.is_nan(ds.field(name))
    return rows


def _handed_over(table: "Table") -> dict[str, Any] | None:
    """Options for polars' own reader, which is faster; None where it would read something else.

    It takes no filter of Arrow, and knows neither other types in other files nor columns out of the
    names of folders. It compares no checksums of pages: what is on this disk is left to Arrow.
    """
    plain = table.plain
    is_plain = (
        isinstance(plain.format, ds.ParquetFileFormat)
        and table.rows is None
        and table.source.proof is not None
        and not (table.is_fetched or table.source.is_cached)
        and all(any(is_of(field.type) for is_of in ALIKE) for field in plain.schema)
        and all(one.physical_schema.equals(plain.schema) for one in plain.get_fragments())
    )
    return clients.polars(table.source.data.remote.settings) if is_plain else None


def relation(table: "Table") -> "duckdb.DuckDBPyRelation":
    """A relation; errors as of `Table.to_duckdb`."""
    with needed(EXTRA):
        import duckdb
    if table.is_fetched:
        return duckdb.from_arrow(table.to_table())
    plain = table.plain if table.rows is None else table.plain.filter(table.rows)
    whole = duckdb.from_arrow(plain)
    if table.columns is None:
        return whole
    return whole.select(*map(duckdb.ColumnExpression, table.columns))
