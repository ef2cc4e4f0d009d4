"""What `open_dataset` returns: a Dataset of pyarrow with columns and rows it was opened for."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds

from dvc_bucket.base.errors import BucketError, ChecksumError
from dvc_bucket.read.prefetch import prefetch, prefetch_items

if TYPE_CHECKING:
    import pandas as pd

#: Fetches the whole of a file by its place; None if it is too large for that.
Fetch = Callable[[str], pa.Buffer | None]

#: Gives a file in pieces that can be decoded one by one, by its place.
Pieces = Callable[[str], Iterator[pa.Buffer]]

#: Arrow's words for a page of a Parquet file whose bytes do not have the checksum beside them.
BROKEN_PAGE = "CRC checksum verification failed"

#: The same for a person.
BROKEN = "a page of it does not have the checksum that its writer noted"

#: Small files that are fetched at once, that are decoded together (alone, each costs a plan of its
#: own, three times what it has in it), and that are in memory at most.
THREADS = 32
TOGETHER = 32
IN_MEMORY = 128

#: Pieces of a file that are read while one is decoded.
AHEAD = 2

#: Makes the error for a damaged file, from its place and what was found.
Damaged = Callable[[str, str], BucketError]

#: Hashes a recorded file in the cache, by its place; raises ChecksumError if it is damaged.
Judge = Callable[[str], None]


class Table(ds.FileSystemDataset):  # type: ignore[misc] # it has no types
    """A pyarrow Dataset that reads the columns and rows it was opened for unless told otherwise.

    `to_table`, `to_batches`, `head`, `count_rows` and `scanner` are pyarrow's.

    Attributes:
        columns: that are read; None for all.
        rows: the filter; None for all.
        fetch: gets a file whole, where that is faster than asking for its parts; else None.
        pieces: gives a file in pieces, hashed on the way, where all of it is read; else None.
        damaged: makes the error for a page with another checksum; None to raise pyarrow's.
        judge: of files that Arrow cannot read, tells those that are damaged; None for no judgement.
    """

    columns: Sequence[str] | None = None
    rows: ds.Expression | None = None
    fetch: Fetch | None = None
    pieces: Pieces | None = None
    damaged: Damaged | None = None
    judge: Judge | None = None

    def scanner(self, **options: Any) -> ds.Scanner:
        """As pyarrow's, within the columns and rows that this was opened for."""
        options = self._within(options)
        planned = super().scanner(**options)
        if not (self.fetch or self.pieces):
            return planned
        return ds.Scanner.from_batches(self._fetched(options), schema=planned.projected_schema)

    def to_batches(self, **options: Any) -> Iterator[pa.RecordBatch]:
        """As pyarrow's, within the columns and rows that this was opened for.

        Raises:
            ChecksumError: a part of a file is damaged; the batches before it were good, but those
                of a file whose bytes are hashed as they pass (CSV) are only proven by its last.
        """
        if self.fetch or self.pieces:
            yield from self._fetched(self._within(options))
            return
        with self._naming_damage(options):
            yield from super().to_batches(**options)

    def to_table(self, **options: Any) -> pa.Table:
        """As pyarrow's, within the columns and rows that this was opened for.

        Raises:
            ChecksumError: a part of a file is damaged.
        """
        if self.fetch or self.pieces:
            schema = super().scanner(**self._within(options)).projected_schema
            return pa.Table.from_batches(self.to_batches(**options), schema)
        with self._naming_damage(options):
            return super().to_table(**options)

    def head(self, num_rows: int, **options: Any) -> pa.Table:
        """The first rows; errors as of `to_table`.

        Arrow's own `head` leaves threads behind that wait for our generator: a process that ends
        then hangs or dies.
        """
        if not (self.fetch or self.pieces):
            with self._naming_damage(options):
                return super().head(num_rows, **options)
        schema = super().scanner(**self._within(options)).projected_schema
        taken: list[pa.RecordBatch] = []
        left = num_rows
        with closing(self._fetched(self._within(options))) as batches:
            while left > 0 and (batch := next(batches, None)) is not None:
                taken.append(batch.slice(0, left))
                left -= len(taken[-1])
        return pa.Table.from_batches(taken, schema)

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

    def _fetched(self, options: dict[str, Any]) -> Generator[pa.RecordBatch]:
        """File after file: small ones whole and several together, others piece by piece."""
        wanted = {name: options.get(name) for name in ("columns", "filter", "memory_pool")}
        try:
            for several in self._groups(options.get("filter")):
                part = ds.FileSystemDataset(several, self.schema, self.format)
                yield from part.to_batches(**wanted)
        except pa.ArrowInvalid:
            if self.pieces:  # damage is the better reason: the hash is known at the end of a file
                for fragment in self.get_fragments(options.get("filter")):
                    for _ in self.pieces(fragment.path):
                        continue
            raise

    def _groups(self, rows: ds.Expression | None) -> Iterator[list[ds.Fragment]]:
        """What is decoded together."""

        def whole(fragment: ds.Fragment) -> tuple[ds.Fragment, pa.Buffer | None]:
            return fragment, self.fetch(fragment.path) if self.fetch else None

        group: list[ds.Fragment] = []
        files = prefetch(whole, self.get_fragments(rows), threads=THREADS, count=IN_MEMORY)
        for fragment, content in files:
            if content is None and self.pieces:
                yield group
                for piece in prefetch_items(self.pieces(fragment.path), AHEAD):
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
        known = fragment.partition_expression
        return self.format.make_fragment(content, partition_expression=known)

    @contextmanager
    def _naming_damage(self, options: dict[str, Any]) -> Iterator[None]:
        """Arrow tells of a broken page, but not of which file: read them again, one by one."""
        try:
            with judged(self.judge, (fragment.path for fragment in self.get_fragments())):
                yield
        except OSError as error:
            if not self.damaged or not is_broken_page(error):
                raise
            within = self._within(options)
            for fragment in self.get_fragments(within.get("filter")):
                try:
                    for _ in fragment.to_batches(schema=self.schema, **within):
                        continue
                except OSError as again:
                    if is_broken_page(again):
                        raise self.damaged(fragment.path, BROKEN) from None
            raise ChecksumError(
                "A page of a Parquet file arrived damaged, and was good when it was asked for "
                "again. Read the table again; if that happens often, look for the cause in the "
                "network or the memory of this machine."
            ) from None


@contextmanager
def judged(judge: Judge | None, places: Iterable[str]) -> Iterator[None]:
    """Where Arrow cannot read one of these files, because it is damaged, that is the error.

    Raises:
        ChecksumError: it is.
    """
    try:
        yield
    except (OSError, pa.ArrowInvalid) as error:
        if judge and not is_broken_page(error):
            for place in places:
                judge(place)
        raise


def is_broken_page(error: Exception) -> bool:
    """Whether bytes of a page are not those of which its writer noted the checksum."""
    return BROKEN_PAGE in str(error)
