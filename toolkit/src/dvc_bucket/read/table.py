"""What `open_dataset` returns: a Dataset of pyarrow with columns and rows it was opened for."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds

from dvc_bucket.base.errors import ChecksumError
from dvc_bucket.read import csv_lines
from dvc_bucket.read.prefetch import prefetch, prefetch_items
from dvc_bucket.read.sources import Source, is_broken_page

if TYPE_CHECKING:
    import pandas as pd

#: Small files that are fetched at once, that are decoded together (alone, each costs a plan of its
#: own, three times what it has in it), and that are in memory at most.
THREADS = 32
TOGETHER = 32
IN_MEMORY = 128

#: Pieces of a file that are read while one is decoded.
AHEAD = 2


class Table(ds.FileSystemDataset):  # type: ignore[misc] # it has no types
    """A pyarrow Dataset that reads the columns and rows it was opened for by default.

    `to_table`, `to_batches`, `head`, `count_rows` and `scanner` are pyarrow's.

    Attributes:
        source: of the files.
        columns: that are read; None for all.
        rows: the filter; None for all.
    """

    source: Source
    columns: Sequence[str] | None = None
    rows: ds.Expression | None = None

    def scanner(self, **options: Any) -> ds.Scanner:
        """As pyarrow's, within the columns and rows that this was opened for."""
        planned = super().scanner(**self._within(options))
        if not self._is_fetched:
            return planned
        batches = self._fetched(self._within(options))
        return ds.Scanner.from_batches(batches, schema=planned.projected_schema)

    def to_batches(self, **options: Any) -> Iterator[pa.RecordBatch]:
        """As pyarrow's, within the columns and rows that this was opened for.

        Raises:
            ChecksumError: a part of a file is damaged; the batches before it were good, but those
                of a file whose bytes are hashed as they pass (CSV) are only proven by its last.
        """
        if self._is_fetched:
            yield from self._fetched(self._within(options))
            return
        with self._naming_damage(options):
            yield from super().to_batches(**options)

    def to_table(self, **options: Any) -> pa.Table:
        """As pyarrow's, within the columns and rows that this was opened for.

        Raises:
            ChecksumError: a part of a file is damaged.
        """
        if self._is_fetched:
            return pa.Table.from_batches(self.to_batches(**options), self._schema(options))
        with self._naming_damage(options):
            return super().to_table(**options)

    def head(self, num_rows: int, **options: Any) -> pa.Table:
        """The first rows; errors as of `to_table`.

        Arrow's own `head` leaves threads behind that wait for our generator: a process that ends
        then hangs or dies.
        """
        if not self._is_fetched:
            with self._naming_damage(options):
                return super().head(num_rows, **options)
        taken: list[pa.RecordBatch] = []
        left = num_rows
        with closing(self._fetched(self._within(options))) as batches:
            while left > 0 and (batch := next(batches, None)) is not None:
                taken.append(batch.slice(0, left))
                left -= len(taken[-1])
        return pa.Table.from_batches(taken, self._schema(options))

    def to_pandas(self, **options: Any) -> "pd.DataFrame":
        """All of it in memory; `to_batches` is for what does not fit.

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
        part = Table(fragments, self.schema, self.format, self.filesystem)
        part.source, part.columns, part.rows = source or self.source, self.columns, self.rows
        return part

    @property
    def _is_fetched(self) -> bool:
        """Whether files are read here, and not by Arrow."""
        return self.source.is_whole or self._is_hashed

    @property
    def _is_hashed(self) -> bool:
        """Whether files are read in pieces that are hashed as they pass."""
        return self.source.proof is not None and isinstance(self.format, ds.CsvFileFormat)

    def _pieces(self, place: str) -> Iterator[pa.Buffer]:
        return csv_lines.cut(self.source.stream(place).pieces())

    def _schema(self, options: dict[str, Any]) -> pa.Schema:
        return super().scanner(**self._within(options)).projected_schema

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
        """File after file: small ones whole and several together, others piece by piece."""
        wanted = {name: options.get(name) for name in ("columns", "filter", "memory_pool")}
        try:
            for several in self._groups(options.get("filter")):
                part = ds.FileSystemDataset(several, self.schema, self.format)
                yield from part.to_batches(**wanted)
        except pa.ArrowInvalid:
            if self._is_hashed:  # damage is the better reason: the end of a file proves its bytes
                for fragment in self.get_fragments(options.get("filter")):
                    for _ in self._pieces(fragment.path):
                        continue
            raise

    def _groups(self, rows: ds.Expression | None) -> Iterator[list[ds.Fragment]]:
        """What is decoded together."""

        def whole(fragment: ds.Fragment) -> tuple[ds.Fragment, pa.Buffer | None]:
            return fragment, self.source.fetch(fragment.path)

        group: list[ds.Fragment] = []
        files = prefetch(whole, self.get_fragments(rows), threads=THREADS, count=IN_MEMORY)
        for fragment, content in files:
            if content is None and self._is_hashed:
                yield group
                for piece in prefetch_items(self._pieces(fragment.path), AHEAD):
                    yield [self._of(fragment, piece)]
                group = []
                continue
            group.append(fragment if content is None else self._of(fragment, content))
            if len(group) == TOGETHER:
                yield group
                group = []
        yield group

    def _of(self, fragment: ds.Fragment, content: pa.Buffer) -> ds.Fragment:
        """A fragment of the content of another, or a piece of that."""
        expression = fragment.partition_expression
        return self.format.make_fragment(content, partition_expression=expression)

    @contextmanager
    def _naming_damage(self, options: dict[str, Any]) -> Iterator[None]:
        """Arrow does not name the file of a broken page: read them again, one by one."""
        try:
            with self.source.judged(fragment.path for fragment in self.get_fragments()):
                yield
        except OSError as error:
            if not (self.source.proof and is_broken_page(error)):
                raise
            within = self._within(options)
            for fragment in self.get_fragments(within.get("filter")):
                try:
                    for _ in fragment.to_batches(schema=self.schema, **within):
                        continue
                except OSError as again:
                    if is_broken_page(again):
                        raise self.source.broken_page(fragment.path, again) from None
            raise ChecksumError(
                "A page of a Parquet file arrived damaged, and was good when it was asked for "
                "again. Read the table again; if that happens often, look for the cause in the "
                "network or the memory of this machine."
            ) from None
