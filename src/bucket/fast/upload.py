"""Files to objects: small ones in one request, large ones in parts, of which few are in memory."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import obstore

from bucket.fast.errors import explained
from bucket.fast.pool import Budget

if TYPE_CHECKING:
    from bucket.objects import Place

#: A file up to this size goes in one request.
WHOLE_BYTES = 8 * 1024 * 1024

#: Files below this size are not counted: all threads together hold little of them.
UNCOUNTED_BYTES = 256 * 1024

#: Parts of a larger one: at least of this size, at most so many, so many at a time.
PART_BYTES = 8 * 1024 * 1024
PARTS = 9_000
PARTS_AT_ONCE = 4


class Upload:
    """Sends files, for the threads of one transfer.

    Attributes:
        answer_seconds: the shortest time that the store took to take one.
    """

    def __init__(self) -> None:
        self.answer_seconds = float("inf")
        self._budget = Budget()

    def __call__(self, path: str, place: "Place") -> None:
        """Send one file.

        Raises:
            StoreError: the store does not take it.
            OSError: the file cannot be read.
        """
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (for speed)
            size = os.fstat(file.fileno()).st_size
            if size <= UNCOUNTED_BYTES:
                self._put(place, file.read(size + 1))
            elif size <= WHOLE_BYTES:
                with self._budget.of(size):
                    self._put(place, file.read(size + 1))
            else:
                self._put_in_parts(place, path, size)

    def _put(self, place: "Place", body: bytes) -> None:
        start = time.perf_counter()
        try:
            obstore.put(place.store, place.key, body, use_multipart=False)
        except Exception as error:
            raise explained(error, f"upload {place.url}", place.where) from error
        self.answer_seconds = min(self.answer_seconds, time.perf_counter() - start)

    def _put_in_parts(self, place: "Place", path: str, size: int) -> None:
        part = max(PART_BYTES, -(-size // PARTS))
        with self._budget.of(part * (PARTS_AT_ONCE + 1)):
            try:
                obstore.put(
                    place.store,
                    place.key,
                    Path(path),
                    chunk_size=part,
                    max_concurrency=PARTS_AT_ONCE,
                )
            except Exception as error:
                raise explained(error, f"upload {place.url}", place.where) from error
