"""Files to objects: small ones in one request, large ones in parts, of which few are in memory."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.connection.clients.patient import PARTS_AT_ONCE, WHOLE_BYTES, part_size
from dvc_bucket.transfer.errors import naming_failures
from dvc_bucket.transfer.pool import UNCOUNTED_BYTES, Budget

if TYPE_CHECKING:
    from dvc_bucket.connection.objects import ObjectRef


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
        self, place: "ObjectRef", path: str, sent: Callable[[int], None] = lambda _: None
    ) -> None:
        """Send one file.

        Args:
            place: where to.
            path: of the file.
            sent: hears how many bytes more the store has taken, of a file that goes in parts.

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
                with self._budget.of(min(size, part_size(size) * (PARTS_AT_ONCE + 1))):
                    self._put(place, Path(path), sent=sent)

    def _put(self, place: "ObjectRef", body: bytes | Path, **options: Any) -> None:
        start = time.perf_counter()
        with naming_failures(f"upload {place.url}", place.settings):
            place.store.put(place.key, body, **options)
        self.answer_seconds = min(self.answer_seconds, time.perf_counter() - start)
