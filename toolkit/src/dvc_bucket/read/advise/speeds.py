"""How fast the bucket and the disk are, from this machine."""

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from dvc_bucket.read.advise.sample import Sample
    from dvc_bucket.read.tracked import Tracked

#: How often the smallest request is made.
TRIES = 7

#: Bytes that one stream is timed with, at most, and so many are written to the disk.
STREAM_BYTES = 8 * 1024 * 1024
DISK_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Speeds:
    """Medians and rates.

    Attributes:
        latency: seconds from a request for one byte to the byte.
        one_stream: bytes a second of one request, from its first to its last byte.
        many_streams: bytes a second onto the disk, proven right, of all streams of `bucket cp`.
        disk: bytes a second written to the disk.
    """

    latency: float
    one_stream: float
    many_streams: float
    disk: float


def measured(found: "Tracked", sample: "Sample", scratch: Path) -> Speeds:
    """Time the bucket with the first of the files, and the disk.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    import obstore

    store, key = found.remote.store, found.key(found.files[0])
    taken = []
    with naming_failures(f"read {found.title}", found.remote.settings):
        for _ in range(TRIES):
            start = time.perf_counter()
            obstore.get_range(store, key, start=0, end=1)
            taken.append(time.perf_counter() - start)
        latency = statistics.median(taken)
        start = time.perf_counter()
        size = len(obstore.get_range(store, key, start=0, end=STREAM_BYTES))
        one = size / max(time.perf_counter() - start - latency, latency / 100)
    return Speeds(latency, one, sample.rate, _disk(scratch))


def _disk(scratch: Path) -> float:
    """Bytes a second, on the disk itself and not in the kernel's memory."""
    content = os.urandom(DISK_BYTES)
    start = time.perf_counter()
    with (scratch / "speed").open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return DISK_BYTES / (time.perf_counter() - start)
