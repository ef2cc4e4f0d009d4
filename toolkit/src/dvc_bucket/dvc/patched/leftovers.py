"""What a check-out that was interrupted leaves: the beginning of a file, under a name of DVC's.

DVC copies a file to a temporary name beside it. The next check-out takes what a killed one left in
a directory for a file of the person's, and refuses to go on.

- `copy_file`, in the place of DVC's function: removes the file where the copy fails or is stopped.
- `can_delete`, in the place of DVC's `_check_can_delete`: lets it be removed if the cache has all
  of that file.
"""

import functools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from dvc_bucket.dvc.patched.stage_touch_points import CAN_DELETE, COPY_FILE

#: The name. Source: `tmp_fname` in dvc-objects.
UNFINISHED = re.compile(r"\.[\w-]{22}\.tmp", re.ASCII)

#: Bytes that are compared at a time.
PIECE_BYTES = 1024 * 1024


def copy_file(original: Callable[..., None]) -> Callable[..., None]:
    """The function that copies a file to a temporary name."""

    @functools.wraps(original)
    def ours(src: str, dest: str, *arguments: Any, **named: Any) -> None:
        try:
            original(src, dest, *arguments, **named)
        except BaseException:  # Ctrl-C too: nothing half written stays
            path = Path(dest)
            if UNFINISHED.fullmatch(path.name):
                with suppress(OSError):
                    path.unlink()
            raise

    return ours


def can_delete(original: Callable[..., None]) -> Callable[..., None]:
    """The function that refuses to remove files that the cache does not have."""

    @functools.wraps(original)
    def ours(entries: Any, index: Any, path: str, fs: Any) -> None:
        others = [
            entry for entry in entries if not _is_left(entry.key, index, fs.join(path, *entry.key))
        ]
        original(others, index, path, fs)

    return ours


#: Our functions by the place of DVC's.
OURS = {COPY_FILE: copy_file, CAN_DELETE: can_delete}


def _is_left(key: tuple[str, ...], index: Any, path: str) -> bool:
    """Whether a file is what is left of copying a file of its folder."""
    if not UNFINISHED.fullmatch(key[-1]):
        return False
    return any(_begins(Path(path), whole) for whole in _objects(index, key[:-1]))


def _objects(index: Any, folder: tuple[str, ...]) -> Iterator[Path]:
    """The cache's objects of the files that belong into a folder."""
    with suppress(KeyError):  # no file belongs there
        for key, entry in index.iteritems(folder):
            if len(key) == len(folder) + 1 and entry.hash_info:
                with suppress(ValueError):  # kept nowhere
                    yield Path(index.storage_map.get_cache(entry)[1])


def _begins(part: Path, whole: Path) -> bool:
    """Whether a file has the first bytes of another, or all."""
    try:
        with part.open("rb") as first, whole.open("rb") as second:
            if os.fstat(first.fileno()).st_size > os.fstat(second.fileno()).st_size:
                return False
            while piece := first.read(PIECE_BYTES):
                if piece != second.read(len(piece)):
                    return False
    except OSError:
        return False
    return True
