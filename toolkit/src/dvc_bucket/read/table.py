"""What `open_dataset` returns: columns and rows of files as one table, for every way to read it."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds

from dvc_bucket.base.errors import ChecksumError
from dvc_bucket.read import layout
from dvc_bucket.read.fetched import IN_MEMORY as IN_MEMORY
from dvc_bucket.read.fetched import THREADS as THREADS
from dvc_bucket.read.fetched import FetchedFiles
from dvc_bucket.read.sources import Source, is_broken_page

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl


#: Why a table does not leave its process.
NOT_SENT = (
    "This table was opened with `settings`, which contain credentials, so it cannot be sent to "
    "another process. Set them in the environment, or open the table there."
)


class Table:
    """The columns and rows of files that `open_dataset` selected.

    It has the reading methods of a pyarrow Dataset: `schema`, `scanner`, `to_table`, `to_batches`,
    `head`, `count_rows`, `filter`. It is not a Dataset, because other methods of a Dataset would
    ignore the selected columns and rows. A copy in another process (pickle, Dask, joblib) opens the
    same commit again.

    Args:
        plain: the files as a Dataset, all columns and rows.
        source: of the files.
        columns: to read; None for all.
        rows: the filter; None for all.
        reopen: opens the same table in another process; None if that is impossible.
    """

    def __init__(
        self,
        plain: ds.FileSystemDataset,
        source: Source,
        columns: Sequence[str] | None = None,
        rows: ds.Expression | None = None,
        reopen: "Callable[..., Table] | None" = None,
    ) -> None:
        self._plain, self._source, self.columns, self.rows = plain, source, columns, rows
        self._reopen, self._process = reopen, os.getpid()

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens the files again."""
        if self._reopen is None:
            raise TypeError(NOT_SENT)
        return self._reopen, (self.columns, self.rows)

    def __getattr__(self, name: str) -> Any:
        hint = ""
        if hasattr(ds.FileSystemDataset, name) and not name.startswith("_"):
            hint = ": it would lose the columns and the filter. `to_table()` has them in memory"
        raise AttributeError(f"A Table has no {name!r}{hint}.")

    @property
    def plain(self) -> ds.FileSystemDataset:
        """The files as a Dataset, all columns and rows."""
        self._after_fork()
        return self._plain

    @property
    def source(self) -> Source:
        """Where the files are."""
        self._after_fork()
        return self._source

    def _after_fork(self) -> None:
        """Open the files again in a forked process: Arrow's connections are those of its parent.

        Two processes that read from one connection take the answers of each other.
        """
        if self._process == os.getpid():
            return
        if self._source.proof and not self._source.is_cached and not self._source.is_whole:
            if self._reopen is None:
                raise TypeError(NOT_SENT)
            again = self._reopen(None, None)
            self._plain, self._source = again.plain, again.source
        self._process = os.getpid()

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns that are read."""
        return self._schema({})

    def filter(self, expression: ds.Expression) -> "Table":
        """The rows of this table for which a condition holds."""
        rows = expression if self.rows is None else self.rows & expression
        return Table(self.plain, self.source, self.columns, rows, self._reopen)

    def select(self, columns: Sequence[str]) -> "Table":
        """Some columns of this table.

        Raises:
            FormatError: it has no such column.
        """
        layout.check_columns(self.schema.names, columns, "The table")
        return Table(self.plain, self.source, list(columns), self.rows, self._reopen)

    def count_rows(self, **options: Any) -> int:
        """The number of rows; options and errors as for `to_table`."""
        if self.is_fetched:
            return sum(batch.num_rows for batch in self.to_batches(**{"columns": []} | options))
        with self._naming_damage(options):
            within = self._within(options)
            count: int = self.plain.count_rows(filter=within.get("filter"))
            return count

    def scan(self) -> "pl.LazyFrame":
        """A lazy frame of polars, which reads only the columns and rows that its query needs.

        Polars itself reads large Parquet files on the remote, which is faster, if they all have the
        same plain columns and this table has no filter; so filter the lazy frame. Their size and
        ETag are proven when this table is opened. Polars does not check page checksums, and raises
        its own errors.

        Raises:
            MissingExtraError: polars is not installed.
        """
        from dvc_bucket.read import frames

        return frames.lazy_frame(self)

    to_polars = scan

    def to_duckdb(self) -> "duckdb.DuckDBPyRelation":
        """A relation of duckdb, which reads only the columns and rows that its query needs.

        Files that are hashed as they are read (CSV, many small files) are first loaded into memory.

        Raises:
            MissingExtraError: duckdb is not installed.
            ChecksumError: a part of a file is damaged.
        """
        from dvc_bucket.read import frames

        return frames.relation(self)

    def scanner(self, **options: Any) -> ds.Scanner:
        """As pyarrow's, within the columns and rows that this was opened for."""
        planned = self.plain.scanner(**self._within(options))
        if not self.is_fetched:
            return planned
        batches = self._fetched(self._within(options))
        return ds.Scanner.from_batches(batches, schema=planned.projected_schema)

    def to_batches(self, **options: Any) -> Iterator[pa.RecordBatch]:
        """As pyarrow's, within the columns and rows that this was opened for.

        Raises:
            ChecksumError: a part of a file is damaged; earlier batches are intact, except those of
                a file that is hashed as it is read (CSV), which its last batch proves.
        """
        if self.is_fetched:
            yield from self._fetched(self._within(options))
            return
        with self._naming_damage(options):
            yield from self.plain.to_batches(**self._within(options))

    def to_table(self, **options: Any) -> pa.Table:
        """As pyarrow's, within the columns and rows that this was opened for.

        Raises:
            ChecksumError: a part of a file is damaged.
        """
        if self.is_fetched:
            return pa.Table.from_batches(self.to_batches(**options), self._schema(options))
        with self._naming_damage(options):
            return self.plain.to_table(**self._within(options))

    def head(self, num_rows: int, **options: Any) -> pa.Table:
        """The first rows; errors as of `to_table`.

        It does not use Arrow's `head`, which leaves threads that wait for our generator and make
        the process hang or crash at its end.
        """
        if not self.is_fetched:
            with self._naming_damage(options):
                return self.plain.head(num_rows, **self._within(options))
        taken: list[pa.RecordBatch] = []
        left = num_rows
        with closing(self._fetched(self._within(options))) as batches:
            while left > 0 and (batch := next(batches, None)) is not None:
                taken.append(batch.slice(0, left))
                left -= len(taken[-1])
        return pa.Table.from_batches(taken, self._schema(options))

    def to_pandas(self, **options: Any) -> "pd.DataFrame":
        """The whole table in memory; use `to_batches` for a larger one.

        Args:
            options: of pyarrow's `Table.to_pandas`.
        """
        frame: pd.DataFrame = self.to_table().to_pandas(**options)
        return frame

    def part(self, fragments: Sequence[ds.Fragment], source: Source | None = None) -> "Table":
        """Some fragments, read as this one is.

        Args:
            fragments: of this table; or others of its schema, with their source.
            source: of the fragments; None for the source of this table.
        """
        whole = self.plain
        part = ds.FileSystemDataset(fragments, whole.schema, whole.format, whole.filesystem)
        return Table(part, source or self.source, self.columns, self.rows)

    @property
    def is_fetched(self) -> bool:
        """Whether the toolkit reads the files instead of Arrow."""
        return self.source.is_whole or self._is_hashed

    @property
    def _is_hashed(self) -> bool:
        """Whether files are read in pieces that are hashed as they pass."""
        return self.source.proof is not None and isinstance(self.plain.format, ds.CsvFileFormat)

    def _schema(self, options: dict[str, Any]) -> pa.Schema:
        return self.plain.scanner(**self._within(options)).projected_schema

    def _within(self, options: dict[str, Any]) -> dict[str, Any]:
        """Options of a scan, with the columns and rows that this was opened for.

        Memory comes from the system's allocator unless a `memory_pool` is named. pyarrow's own
        choice, mimalloc, gives pages back and takes them again all the time: a whole read of a 300
        MB file took 15 s in the kernel and 5.3 GB, and takes 2 s and 3.6 GB without.
        """
        within = dict(options)
        if self.columns is not None and within.get("columns") is None:
            within["columns"] = list(self.columns)
        if self.rows is not None:
            asked = within.get("filter")
            within["filter"] = self.rows if asked is None else self.rows & asked
        if within.get("memory_pool") is None:
            within["memory_pool"] = pa.system_memory_pool()
        return within

    def _fetched(self, options: dict[str, Any]) -> Generator[pa.RecordBatch]:
        return FetchedFiles(self.plain, self.source, self._is_hashed).batches(options)

    @contextmanager
    def _naming_damage(self, options: dict[str, Any]) -> Iterator[None]:
        """Arrow does not name the file of a broken page: read them again, one by one."""
        try:
            with self.source.judged(fragment.path for fragment in self.plain.get_fragments()):
                yield
        except OSError as error:
            if not (self.source.proof and is_broken_page(error)):
                raise
            within = self._within(options)
            for fragment in self.plain.get_fragments(within.get("filter")):
                try:
                    for _ in fragment.to_batches(schema=self.plain.schema, **within):
                        continue
                except OSError as again:
                    if is_broken_page(again):
                        raise self.source.broken_page(fragment.path, again) from None
            raise ChecksumError(
                "A page of a Parquet file arrived damaged, but was intact when it was requested "
                "again. Read the table again. If this happens often, check the network and the "
                "memory of this machine."
            ) from None
