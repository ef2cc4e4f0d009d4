"""Tries a kind of link once where it does not work, not for each file.

To put a file into its cache or into the work tree, DVC finds out again which kinds of link the two
folders allow: it makes and removes a dozen files for each. A file system that cannot clone files
(reflink) says so each time, after the file was made.
"""

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dvc_bucket.dvc.patched.replacement import replacement

#: What the system says of two file systems between which no file can be cloned (ioctl_ficlone(2)).
NEVER = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS, errno.EXDEV})

#: The devices, from and to, between which no file can be cloned.
_refused: set[tuple[int, int]] = set()

#: The kinds that work: by those asked for, the folder of the one file and that of the other.
_working: dict[tuple[Any, ...], list[str]] = {}


@replacement
def reflink(original: Callable[..., None], src: Any, dst: Any) -> None:
    """The function that clones a file."""
    devices = Path(src).stat().st_dev, Path(dst).parent.stat().st_dev
    if devices in _refused:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), dst)
    try:
        original(src, dst)
    except OSError as error:
        if error.errno in NEVER:
            _refused.add(devices)
        raise


@replacement
def working(
    original: Callable[..., list[str]],
    links: Sequence[str],
    from_fs: Any,
    from_path: str,
    to_fs: Any,
    to_path: str,
) -> list[str]:
    """The function that tries kinds of link between two folders."""
    from dvc_objects.fs.local import LocalFileSystem

    if not (isinstance(from_fs, LocalFileSystem) and isinstance(to_fs, LocalFileSystem)):
        return original(links, from_fs, from_path, to_fs, to_path)
    folders = (*links, from_path, to_fs.parent(to_path))
    if folders not in _working:
        kinds = original(links, from_fs, from_path, to_fs, to_path)
        if not kinds:
            return kinds
        _working[folders] = kinds
    return [*_working[folders]]  # DVC takes out what it has tried
