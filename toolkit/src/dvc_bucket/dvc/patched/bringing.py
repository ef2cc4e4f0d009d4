"""Brings files out of the cache into a new folder of the work tree, with few calls for each.

The kind of link is found out by DVC with the first file. The others get hard links, or copies, in a
loop. Other kinds of links, large files and what fails are DVC's again.
"""

import os
import secrets
from collections.abc import Iterable
from itertools import islice
from typing import Any

from dvc_bucket.transfer.download import OTHER_MODE
from dvc_bucket.transfer.files import MD5

#: Files that are noted in DVC's database at a time.
BATCH = 5000

#: A larger file is copied by DVC, which shows how far it is.
SMALL_BYTES = 1024 * 1024

#: The hash of an empty file. It is made and not linked: a file can have 65,000 links in ext4.
EMPTY = MD5.of(b"")


def bring(
    odb: Any, files: Iterable[tuple[str, str]], folder: str, callback: Any, onerror: Any, state: Any
) -> None:
    """Bring the files of a directory.

    Args:
        odb: the cache.
        files: path below the folder, and hash, of each.
        folder: the directory, of which nothing exists.
        callback: hears of progress.
        onerror: hears of each file that cannot be brought: the two paths, and why.
        state: DVC's database of hashes, which notes them.
    """
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_objects.fs.local import localfs

    bringing, rest = _Bringing(odb, folder, callback, onerror), iter(files)
    while some := list(islice(rest, BATCH)):
        notes = []
        for path, oid in some:
            if found := bringing.one(path, oid):
                info = {"ino": found.st_ino, "mtime": found.st_mtime, "size": found.st_size}
                notes.append((f"{folder}/{path}", HashInfo("md5", oid), info))
        state.save_many(notes, localfs)


class _Bringing:
    def __init__(self, odb: Any, folder: str, callback: Any, onerror: Any) -> None:
        self._odb, self._folder = odb, folder
        self._callback, self._onerror = callback, onerror
        self._made: set[str] = set()
        self._temporary = f".{secrets.token_urlsafe(16)}.tmp"  # as DVC calls it

    def one(self, path: str, oid: str) -> os.stat_result | None:
        """Bring a file; what it is like, or None if it failed."""
        source, target = self._odb.oid_to_path(oid), f"{self._folder}/{path}"
        parent = target.rpartition("/")[0]
        if parent not in self._made:
            os.makedirs(parent, exist_ok=True)  # noqa: PTH103 (for speed, as below)
            self._made.add(parent)
        try:
            is_there = self._quickly(source, target, parent, oid)
        except OSError:  # DVC tries the next kind of link, or tells
            is_there = False
        try:
            if is_there:
                self._callback.relative_update()
            else:
                self._by_dvc(source, target)
            return os.stat(target)  # noqa: PTH116
        except FileNotFoundError:
            return None

    def _quickly(self, source: str, target: str, parent: str, oid: str) -> bool:
        """Link or copy it if that is simple; whether it was."""
        kind = self._odb.cache_types[0] if self._odb.cache_types else ""
        if kind == "hardlink":
            if oid == EMPTY or os.path.islink(source):  # noqa: PTH114
                return False
            os.link(source, target)
            return True
        return kind == "copy" and self._copy(source, target, f"{parent}/{self._temporary}")

    def _copy(self, source: str, target: str, temporary: str) -> bool:
        old = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if os.fstat(old).st_size > SMALL_BYTES:
                return False
            new = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OTHER_MODE
            )
            try:
                while piece := os.read(old, SMALL_BYTES):
                    while piece:
                        piece = piece[os.write(new, piece) :]
            finally:
                os.close(new)
            os.replace(temporary, target)  # noqa: PTH105
        finally:  # after Ctrl-C too: nothing half written stays
            os.close(old)
            if os.path.lexists(temporary):
                os.unlink(temporary)  # noqa: PTH108
        return True

    def _by_dvc(self, source: str, target: str) -> None:
        from dvc_objects.fs import generic
        from dvc_objects.fs.local import localfs

        generic.transfer(
            self._odb.fs,
            [source],
            localfs,
            [target],
            links=self._odb.cache_types,
            callback=self._callback,
            on_error=self._onerror,
        )
