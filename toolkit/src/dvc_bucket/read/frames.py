"""Tables for polars and duckdb, which ask for the columns and rows that a query needs."""

from typing import TYPE_CHECKING

from dvc_bucket.base.extras import needed

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from dvc_bucket.read.table import Table

#: Of the toolkit.
EXTRA = "tables"


def lazy_frame(table: "Table") -> "pl.LazyFrame":
    """A lazy frame; errors as of `Table.scan`."""
    with needed(EXTRA):
        import polars as pl
    # It asks what it is given for `schema` and `to_batches` alone, which is all that a Table has.
    return pl.scan_pyarrow_dataset(table)


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
