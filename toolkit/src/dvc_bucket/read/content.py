"""The content of a recorded file as a stream that is hashed as its bytes pass."""

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import BucketError, ChecksumError, MissingObjectError
from dvc_bucket.dvc.remote import ids
from dvc_bucket.read import versions
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.read.tracked import Tracked, TrackedFile
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from obstore import ObjectMeta

#: Bytes of a piece, and pieces of a file that are on their way at once.
PIECE_BYTES = 4 * 1024 * 1024
PIECES = 4

#: Reads a number of bytes at a place.
ReadAt = Callable[[int, int], Any]


class Content(io.RawIOBase):
    """The bytes of a recorded file, in any order.

    A hash follows the reader from the beginning on. If all bytes have passed, in order, and their
    MD5 is not the recorded one, the read that completes them raises, and so does every later one.

    Args:
        size: in bytes.
        read_at: reads.
        promised: the MD5; None if nothing can be compared.
        damaged: makes the error, from the MD5 that was found.
    """

    def __init__(
        self,
        size: int,
        read_at: ReadAt,
        promised: str | None,
        damaged: Callable[[str], BucketError],
    ) -> None:
        self._size, self._at, self._hashed = size, 0, 0
        self._read_at, self._promised, self._damaged = read_at, promised, damaged
        self._digest = hashlib.md5(usedforsecurity=False)

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read in any order."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read what fits into a buffer."""
        wanted = memoryview(buffer).cast("B")
        count = max(0, min(len(wanted), self._size - self._at))
        piece = memoryview(self._read_at(self._at, count) if count else b"")
        self._add(self._at, piece)
        wanted[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def readall(self) -> bytes:
        """Read the rest."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[Any]:
        """The rest in pieces, several of them on their way at once."""
        starts = range(self._at, self._size, PIECE_BYTES)
        self._add(self._at, memoryview(b""))
        for piece in prefetch(self._piece, starts, threads=PIECES, count=PIECES):
            self._add(self._at, memoryview(piece))
            self._at += len(piece)
            yield piece

    def _piece(self, start: int) -> Any:
        return self._read_at(start, min(PIECE_BYTES, self._size - start))

    def _add(self, at: int, piece: memoryview) -> None:
        """Hash what comes next of bytes that were read at a place.

        Raises:
            ChecksumError: all have passed, and the hash is another.
        """
        known = self._hashed - at
        if 0 <= known <= len(piece):
            self._digest.update(piece[known:])
            self._hashed = at + len(piece)
        if self._hashed == self._size and self._promised not in {None, self._digest.hexdigest()}:
            raise self._damaged(self._digest.hexdigest())


def cached(found: Tracked, file: TrackedFile) -> Content:
    """The content of a file that the cache has."""
    path = found.cached(file)
    return _content(found, file, path.stat().st_size, partial(_read_local, path), path)


def on_remote(found: Tracked, file: TrackedFile, version: "ObjectMeta") -> Content:
    """The content of the object of a file: of this version of it alone."""
    return _content(found, file, version["size"], partial(_read_object, found, file, version))


def _content(
    found: Tracked, file: TrackedFile, size: int, read_at: ReadAt, path: Path | None = None
) -> Content:
    # The hash of the layout before DVC 3 is one of text with Unix line ends.
    promised = None if ids.is_legacy(file.name) else ids.md5(file.name)

    def damaged(digest: str) -> BucketError:
        return versions.damaged(found, file, versions.other_md5(digest, file), path)

    return Content(size, read_at, promised, damaged)


def _read_local(path: Path, at: int, count: int) -> bytes:
    with path.open("rb", buffering=0) as source:
        return os.pread(source.fileno(), count, at)


def _read_object(
    found: Tracked, file: TrackedFile, version: "ObjectMeta", at: int, count: int
) -> Any:
    import obstore
    from obstore.exceptions import PreconditionError

    options: obstore.GetOptions = {"range": (at, at + count)}
    if version["e_tag"]:
        options["if_match"] = version["e_tag"]
    try:
        with naming_failures(f"read {file.path}", found.remote.settings):
            try:
                return obstore.get(found.remote.store, found.key(file), options=options).bytes()
            except PreconditionError:
                raise ChecksumError(
                    f"{file.path} on the remote {found.remote.address} was written again while it "
                    "was read. Open it again."
                ) from None
    except MissingObjectError:
        raise versions.not_pushed(found, file) from None
