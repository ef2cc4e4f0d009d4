"""Files to objects: small ones in one request, large ones in parts, of which few are in memory."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from dvc_bucket.transfer.errors import naming_failures
from dvc_bucket.transfer.pool import UNCOUNTED_BYTES, Budget

if TYPE_CHECKING:
    from dvc_bucket.connection.objects import ObjectRef

#: A file up to this size goes in one request.
WHOLE_BYTES = 8 * 1024 * 1024

#: Parts of a larger one: at least of this size, at most so many, so many at a time.
PART_BYTES = 8 * 1024 * 1024
PARTS = 9_000
PARTS_AT_ONCE = 4


class Upload:
    """Sends files, for the threads of one transfer.

    Args:
        budget: of memory, that others take from, too.

    Attributes:
        answer_seconds: the shortest time that the store took to take one.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self.answer_seconds = float("inf")
        self._budget = budget or Budget()

    def __call__(
        self, place: "ObjectRef", path: str, sent: Callable[[int], None] | None = None
    ) -> None:
        """Send one file.

        Args:
            place: where to.
            path: of the file.
            sent: hears how many bytes more are on their way, of a file that goes in parts.

        Raises:
            StoreError: the store does not take it.
            OSError: the file cannot be read.
        """
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (for speed)
            size = os.fstat(file.fileno()).st_size
            if size <= UNCOUNTED_BYTES:
                self._put(place, file.read(size + 1), use_multipart=False)
            elif size <= WHOLE_BYTES:
                with self._budget.of(size):
                    self._put(place, file.read(size + 1), use_multipart=False)
            else:
                body = cast(IO[bytes], _Heard(file, sent)) if sent else Path(path)
                part = max(PART_BYTES, -(-size // PARTS))
                with self._budget.of(part * (PARTS_AT_ONCE + 1)):
                    self._put(place, body, chunk_size=part, max_concurrency=PARTS_AT_ONCE)

    def _put(self, place: "ObjectRef", body: "bytes | IO[bytes] | Path", **options: Any) -> None:
        start = time.perf_counter()
        with naming_failures(f"upload {place.url}", place.settings):
            place.store.put(place.key, body, **options)
        self.answer_seconds = min(self.answer_seconds, time.perf_counter() - start)


class _Heard:
    """A file of which somebody hears how much was read."""

    def __init__(self, file: IO[bytes], sent: Callable[[int], None]) -> None:
        self._file, self._sent = file, sent
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        body = self._file.read(size)
        self._sent(len(body))
        return body
