"""Small Parquet files that are in memory, decoded by Arrow's reader of a file.

Of a file of some kilobytes, a scan of a Dataset takes twice the time for its plan.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import parquet

from dvc_bucket.read import layout


@dataclass(frozen=True)
class Decoder:
    """Makes tables of one schema of the contents of files.

    Attributes:
        table_schema: of all columns.
        schema: of those that are decoded.
    """

    table_schema: pa.Schema
    schema: pa.Schema

    @classmethod
    def of(cls, schema: pa.Schema, wanted: Mapping[str, Any]) -> "Decoder | None":
        """For the columns that a scan needs; None where only Arrow knows them.

        Args:
            schema: of the files.
            wanted: columns and filter of the scan, if any.
        """
        columns, rows = wanted.get("columns"), wanted.get("filter")
        if isinstance(columns, Mapping) or columns is None:
            return cls(schema, schema) if schema.names else None
        if not schema.names or not set(columns) <= set(schema.names):
            return None  # such as __filename, of which a scan knows
        needed = {*columns, *(fields_of(rows, schema) if rows is not None else ())}
        fields = [field for field in schema if field.name in needed]
        # Rows are counted by a column, too.
        return cls(schema, pa.schema(fields or [schema.field(0)], schema.metadata))

    def table(self, name: str, content: pa.Buffer, partition: ds.Expression) -> pa.Table:
        """The columns of a file in the types of the table: missing ones are null.

        Args:
            name: path of the file, for errors.
            content: all of it, proven.
            partition: what its path says of columns.

        Raises:
            FormatError: it is no Parquet file, or does not fit.
        """
        try:
            file = parquet.ParquetFile(content)
        except pa.ArrowInvalid as error:
            raise layout.of_another_kind(name, error) from None
        in_file = file.schema_arrow
        if not in_file.equals(self.table_schema):
            layout.check(name, in_file, self.table_schema)
        said, names = ds.get_partition_keys(partition), set(in_file.names)
        found = [key for key in self.schema.names if key in names]
        read = file.read([key for key in found if key not in said], use_threads=False)
        if read.schema.equals(self.schema):  # as most are
            return read
        count = file.metadata.num_rows
        columns = []
        for field in self.schema:
            if field.name in said:
                value = pa.array([said[field.name]], field.type)[0]
                columns.append(pa.repeat(value, count))
            elif field.name in found:
                column = read.column(field.name)
                columns.append(column if column.type == field.type else column.cast(field.type))
            else:
                columns.append(pa.nulls(count, field.type))
        return pa.Table.from_arrays(columns, schema=self.schema)


def joined(tables: Sequence[pa.Table], schema: pa.Schema, pool: pa.MemoryPool) -> ds.Dataset:
    """Tables one after the other, in memory of the pool."""
    whole = pa.concat_tables(tables) if tables else schema.empty_table()
    return ds.dataset(whole.combine_chunks(memory_pool=pool))


def fields_of(rows: ds.Expression, schema: pa.Schema) -> Iterator[str]:
    """Names of the columns that a filter needs: without one of them it means nothing."""
    if not _has_meaning(rows, schema):
        yield from schema.names
        return
    for number, name in enumerate(schema.names):
        if not _has_meaning(rows, schema.remove(number)):
            yield name


def _has_meaning(rows: ds.Expression, schema: pa.Schema) -> bool:
    try:
        ds.dataset(schema.empty_table()).scanner(filter=rows)
    except pa.ArrowInvalid:
        return False
    return True
