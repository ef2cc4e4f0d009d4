"""What `open_dataset` returns: a Dataset of pyarrow with columns and rows it was opened for."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds

from bucket.ahead import ahead

if TYPE_CHECKING:
    import pandas as pd

#: Fetches the whole of a file by its place; None if it is too large for that.
Fetch = Callable[[str], pa.Buffer | None]

#: Small files that are fetched at once, that are decoded together (alone, each costs a plan of its
#: own, three times what it has in it), and that are in memory at most.
THREADS = 32
TOGETHER = 32
IN_MEMORY = 128


class Table(ds.FileSystemDataset):  # type: ignore[misc] # it has no types
    """A pyarrow Dataset that reads the columns and rows it was opened for unless told otherwise.

    `to_table`, `to_batches`, `head`, `count_rows` and `scanner` are pyarrow's.

    Attributes:
        columns: that are read; None for all.
        rows: the filter; None for all.
        fetch: gets a file whole, where that is faster than asking for its parts; else None.
    """

    columns: Sequence[str] | None = None
    rows: ds.Expression | None = None
    fetch: Fetch | None = None

    def scanner(self, **options: Any) -> ds.Scanner:
        """As pyarrow's, within the columns and rows that this was opened for."""
        options = self._within(options)
        planned = super().scanner(**options)
        if not self.fetch:
            return planned
        batches = self._fetched(self.fetch, options)
        return ds.Scanner.from_batches(batches, schema=planned.projected_schema)

    def to_batches(self, **options: Any) -> Iterator[pa.RecordBatch]:
        """As pyarrow's, within the columns and rows that this was opened for."""
        if not self.fetch:
            return super().to_batches(**options)  # type: ignore[no-any-return]
        return self._fetched(self.fetch, self._within(options))

    def to_table(self, **options: Any) -> pa.Table:
        """As pyarrow's, within the columns and rows that this was opened for."""
        if not self.fetch:
            return super().to_table(**options)
        schema = super().scanner(**self._within(options)).projected_schema
        return pa.Table.from_batches(self.to_batches(**options), schema)

    def to_pandas(self, **options: Any) -> "pd.DataFrame":
        """All of it in memory; `to_batches` is for what does not fit.

        Args:
            options: of pyarrow's `Table.to_pandas`.
        """
        frame: pd.DataFrame = self.to_table().to_pandas(**options)
        return frame

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

    def _fetched(self, fetch: Fetch, options: dict[str, Any]) -> Iterator[pa.RecordBatch]:
        """File after file, each with one request; some decoded while others are on their way."""

        def whole(fragment: ds.Fragment) -> ds.Fragment:
            content = fetch(fragment.path)
            if content is None:
                return fragment
            known = fragment.partition_expression
            return self.format.make_fragment(content, partition_expression=known)

        wanted = {name: options.get(name) for name in ("columns", "filter", "memory_pool")}
        fragments = ahead(whole, self.get_fragments(), threads=THREADS, count=IN_MEMORY)
        while several := list(islice(fragments, TOGETHER)):
            yield from ds.FileSystemDataset(several, self.schema, self.format).to_batches(**wanted)
