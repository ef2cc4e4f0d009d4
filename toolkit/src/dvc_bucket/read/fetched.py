"""Rows of files that are fetched here, and not by Arrow: small ones whole, CSV files in pieces."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from dvc_bucket.read import csv_lines, layout
from dvc_bucket.read.decoding import Decoder, joined
from dvc_bucket.read.prefetch import prefetch, prefetch_items
from dvc_bucket.read.sources import Source

#: Small files that are fetched at once, that are decoded together (alone, each costs a plan of its
#: own, three times what it has in it), and that are in memory at most.
THREADS = 32
TOGETHER = 32
IN_MEMORY = 128

#: Pieces of a file that are read while one is decoded.
AHEAD = 2

#: Options of a scan that hold for files that are fetched here.
KEPT_OPTIONS = ("columns", "filter", "memory_pool", "batch_size")


@dataclass(frozen=True)
class FetchedFiles:
    """Files of a table, read here.

    Attributes:
        plain: the files as a Dataset, all columns and rows.
        source: of the files.
        is_hashed: they are read in pieces that are hashed as they pass, unless they come whole.
    """

    plain: ds.FileSystemDataset
    source: Source
    is_hashed: bool

    def batches(self, options: dict[str, Any]) -> Generator[pa.RecordBatch]:
        """File after file: small ones whole and several together, others piece by piece.

        Args:
            options: of a scan.
        """
        wanted = {name: options[name] for name in KEPT_OPTIONS if options.get(name) is not None}
        decoder = None
        if isinstance(self.plain.format, ds.ParquetFileFormat):
            decoder = Decoder.of(self.plain.schema, wanted)
        try:
            for part in self._decoded(decoder, wanted) if decoder else self._scanned(wanted):
                yield from part.to_batches(**wanted)
        except pa.ArrowInvalid:
            if self.is_hashed:  # damage is the better reason: the end of a file proves its bytes
                for fragment in self.plain.get_fragments(options.get("filter")):
                    for _ in self._pieces(fragment.path):
                        continue
            raise

    def _decoded(self, decoder: Decoder, wanted: dict[str, Any]) -> Iterator[ds.Dataset]:
        """Parquet files, decoded here."""

        def decode(file: tuple[ds.Fragment, pa.Buffer | None]) -> ds.Fragment | pa.Table:
            fragment, content = file
            if content is None:
                return fragment
            path = self.source.by_place[fragment.path].path
            return decoder.table(path, content, fragment.partition_expression)

        pool, group = wanted["memory_pool"], list[pa.Table]()
        decoded = prefetch(decode, self._files(wanted), threads=pa.cpu_count(), count=TOGETHER)
        for table in decoded:
            if isinstance(table, ds.Fragment):
                yield joined(group, decoder.schema, pool)
                yield self._dataset([table])
                group = []
                continue
            group.append(table)
            if len(group) == TOGETHER:
                yield joined(group, decoder.schema, pool)
                group = []
        yield joined(group, decoder.schema, pool)

    def _scanned(self, wanted: dict[str, Any]) -> Iterator[ds.Dataset]:
        """Files that Arrow decodes as it scans."""
        schema, group = self.plain.schema, list[ds.Fragment]()
        for fragment, content in self._files(wanted):
            if content is None and self.is_hashed:
                yield self._dataset(group)
                for piece in prefetch_items(self._pieces(fragment.path), AHEAD):
                    yield self._dataset([self._of(fragment, piece)])
                group = []
                continue
            if content is not None:
                path, fragment = fragment.path, self._of(fragment, content)
                layout.check(self.source.by_place[path].path, fragment.physical_schema, schema)
            group.append(fragment)
            if len(group) == TOGETHER:
                yield self._dataset(group)
                group = []
        yield self._dataset(group)

    def _files(self, wanted: dict[str, Any]) -> Iterator[tuple[ds.Fragment, pa.Buffer | None]]:
        """The files that can have wanted rows, with their contents if they come whole."""

        def whole(fragment: ds.Fragment) -> tuple[ds.Fragment, pa.Buffer | None]:
            return fragment, self.source.fetch(fragment.path)

        fragments = self.plain.get_fragments(wanted.get("filter"))
        return prefetch(whole, fragments, threads=THREADS, count=IN_MEMORY)

    def _dataset(self, fragments: list[ds.Fragment]) -> ds.Dataset:
        return ds.FileSystemDataset(
            fragments, self.plain.schema, self.plain.format, self.plain.filesystem
        )

    def _of(self, fragment: ds.Fragment, content: pa.Buffer) -> ds.Fragment:
        """A fragment of the content of another, or a piece of that."""
        expression = fragment.partition_expression
        return self.plain.format.make_fragment(content, partition_expression=expression)

    def _pieces(self, place: str) -> Iterator[pa.Buffer]:
        return csv_lines.cut(self.source.stream(place).pieces())
