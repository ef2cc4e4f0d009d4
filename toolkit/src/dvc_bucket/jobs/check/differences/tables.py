"""Tables of Arrow, in Parquet or its own format: where values differ, and in how many rows."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.jobs.check.differences import columns
from dvc_bucket.jobs.check.differences.rows import MAX_PAIRS, RowDifferences, other_columns
from dvc_bucket.jobs.check.differences.tolerance import EXACT, Limits
from dvc_bucket.jobs.check.findings import Difference

if TYPE_CHECKING:
    from pyarrow import Array, Schema

#: Ends of names of the files.
ENDS = (".parquet", ".feather", ".arrow")

#: Rows that are compared at a time.
ROWS = 1_000_000


class _Table:
    """A table, of which one column of Parquet at a time is in memory."""

    def __init__(self, file: Path) -> None:
        from pyarrow import dataset, feather, parquet

        whole = None
        if file.suffix != ".parquet":
            whole = feather.read_table(file)
        elif len(set(names := parquet.read_schema(file).names)) < len(names):
            whole = parquet.ParquetFile(file).read()  # a name does not tell its columns apart
        source = dataset.dataset(file, format="parquet") if whole is None else whole
        self.schema: Schema = source.schema
        self.rows = source.count_rows() if whole is None else whole.num_rows
        self._whole, self._source = whole, source

    def pieces(self, at: int, rows: int) -> "Iterator[Array]":
        """The first rows of a column, some at a time."""
        if self._whole is not None:
            column = self._whole.column(at)
        else:
            column = self._source.to_table(columns=[self.schema.names[at]]).column(0)
        for start in range(0, rows, ROWS):
            yield column.slice(start, min(ROWS, rows - start)).combine_chunks()


def compare(recorded: Path, found: Path, limits: Limits) -> Difference | None:
    """How the tables differ; None if one cannot be read as such."""
    import pyarrow as pa

    try:
        before, after = _Table(recorded), _Table(found)
        if text := _other_schema(before.schema, after.schema):
            return Difference(text)
        difference = _compare_values(before, after, limits)
    except (OSError, ValueError, LookupError, ArithmeticError, pa.ArrowException):
        return None  # no such file; dates and times that Python does not have
    if difference:
        return difference
    text = f"the same {before.rows:,} rows, {_other_file(recorded, found, before, after)}"
    return Difference(text, tolerated=limits != EXACT)


def _other_schema(before: "Schema", after: "Schema") -> str:
    """How names or types of columns differ; empty if they do not."""
    if text := other_columns(before.names, after.names):
        return text
    for old, new in zip(before, after, strict=True):
        if old.type != new.type:
            return f"column {old.name} was {old.type} and is now {new.type}"
    return ""


def _compare_values(before: _Table, after: _Table, limits: Limits) -> Difference | None:
    """How values differ, and numbers of rows; None if they do not."""
    import numpy as np

    rows = min(before.rows, after.rows)
    differences, wrong = RowDifferences(), np.zeros(rows, dtype=bool)
    for at, name in enumerate(before.schema.names):
        start = 0
        for old, new in zip(before.pieces(at, rows), after.pieces(at, rows), strict=True):
            differs, passed = columns.beyond(old, new, columns.differing(old, new), limits.of(name))
            differences.largest = max(differences.largest, passed)
            is_wrong = differs.to_numpy(zero_copy_only=False)
            for row in is_wrong.nonzero()[0][:MAX_PAIRS]:
                values = (columns.value(column, row) for column in (old, new))
                differences.add(name, start + int(row), *values)
            wrong[start : start + len(old)] |= is_wrong
            start += len(old)
    differences.wrong = int(wrong.sum())
    return differences.difference(before.rows, after.rows)


def _other_file(recorded: Path, found: Path, before: _Table, after: _Table) -> str:
    """How two files with the same values differ."""
    from pyarrow import parquet

    if recorded.suffix == found.suffix == ".parquet":
        writers = [parquet.read_metadata(file).created_by for file in (recorded, found)]
        if writers[0] != writers[1]:
            return f"stored differently: written by {writers[1]}, was {writers[0]}"
    if not before.schema.equals(after.schema, check_metadata=True):
        return "stored differently: other metadata"
    return "stored differently: row groups, encoding or compression"
