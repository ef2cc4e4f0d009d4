"""A part of the data that stands for all of it, read and fetched in either way.

Data comes in units that cost alike: row groups of large Parquet files, small files, or blocks of
any other large file. Each kind can stream a number of them over the wire, bring as many to the disk
as `bucket cp` does, and read them there.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import pyarrow.dataset as ds

from dvc_bucket.read.table import Table

#: Bytes that are fetched at most to learn what fetching costs; one unit is in any case.
SAMPLE_BYTES = 48 * 1024 * 1024


class Sample(ABC):
    """A part of the data, and what is known of all of it.

    Attributes:
        size: bytes of all files.
        touched: bytes that one streamed read of all takes.
        requests: that it makes, about.
        units: that one streamed read of all reads.
        units_to_fetch: that staging all of it brings.
        opening: seconds that it took to find out sizes and read footers.
        rate: bytes a second of the last `fetch`.
    """

    size: int
    touched: int
    requests: int
    units: float
    units_to_fetch: float
    opening: float
    rate: float = 0.0
    _most: int

    @property
    def steps(self) -> tuple[int, int]:
        """Few units, and more of them, that are measured."""
        return max(1, self._most // 4), self._most

    @abstractmethod
    def stream(self, count: int) -> None:
        """Read so many units over the wire."""

    @abstractmethod
    def fetch(self, count: int) -> None:
        """Bring so many units to the disk."""

    @abstractmethod
    def local(self, count: int) -> None:
        """Read so many of the units that were fetched."""


def read(table: Table, fragments: Sequence[ds.Fragment], fetch: Any = None) -> None:
    """What `to_table` of a table of these fragments costs."""
    part = Table(fragments, table.schema, table.format, table.filesystem)
    part.columns, part.rows, part.fetch = table.columns, table.rows, fetch
    part.to_table()
