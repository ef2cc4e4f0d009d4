"""Which objects DVC's cache has, with one look at each.

The cache has read-only files, as DVC leaves them, and others whose content is right.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from typing import Any


def not_in_cache(cache: Any, oids: Iterable[str]) -> Iterator[str]:
    """Those that the cache lacks."""
    from dvc_objects.errors import ObjectFormatError

    for oid in oids:
        try:
            mode = os.stat(cache.oid_to_path(oid)).st_mode  # noqa: PTH116 (for speed)
            if stat.S_IMODE(mode) != cache.CACHE_MODE:
                cache.check(oid)
        except (FileNotFoundError, ObjectFormatError):
            yield oid


def protected(cache: Any, oids: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Those that are read-only files, and the inode of each."""
    for oid in oids:
        try:
            found = os.stat(cache.oid_to_path(oid))  # noqa: PTH116 (for speed)
        except OSError:  # DVC looks again, and has its words
            continue
        if stat.S_IMODE(found.st_mode) == cache.CACHE_MODE:
            yield oid, found.st_ino
