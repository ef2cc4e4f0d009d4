"""The content of a recorded file as a stream that is hashed as its bytes pass."""

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import ChecksumError, MissingObjectError, NotTrackedError
from dvc_bucket.dvc.remote import ids
from dvc_bucket.read import tree
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.read.proof import Proof
from dvc_bucket.read.tracked import TrackedData, TrackedFile
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from obstore import ObjectMeta

#: Bytes of a piece, and pieces of a file that are on their way at once.
PIECE_BYTES = 4 * 1024 * 1024
PIECES = 4


class Content(io.RawIOBase):
    """The bytes of a recorded file, in any order.

    A hash follows the reader from the beginning on. If all bytes have passed, in order, and their
    MD5 is not the recorded one, the read that completes them raises, and so does every later one.

    Args:
        data: that has the file.
        file: to read.
        version: of its object, which is the only one that is read; None for the copy in the cache.
    """

    def __init__(
        self, data: TrackedData, file: TrackedFile, version: "ObjectMeta | None" = None
    ) -> None:
        self._data, self._file, self._version = data, file, version
        self._size = version["size"] if version else data.cached(file).stat().st_size
        self._at = self._hashed = 0
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
        self._add(piece)
        wanted[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        """Read the rest."""
        return b"".join(self.pieces())

    def pieces(self, end: int | None = None) -> Iterator[Any]:
        """The rest, or the part up to `end`, in pieces, several of them on their way at once."""
        end = self._size if end is None else min(end, self._size)
        starts = range(self._at, end, PIECE_BYTES)
        self._add(memoryview(b""))

        def piece(start: int) -> Any:
            return self._read_at(start, min(PIECE_BYTES, end - start))

        for content in prefetch(piece, starts, threads=PIECES, count=PIECES):
            self._add(memoryview(content))
            yield content

    def _add(self, piece: memoryview) -> None:
        """Go on by a piece that was read, and hash what of it was not hashed yet.

        Raises:
            ChecksumError: all bytes have passed, and the hash is another.
        """
        hashed = self._hashed - self._at
        if 0 <= hashed <= len(piece):
            self._digest.update(piece[hashed:])
            self._hashed = self._at + len(piece)
        # The hash of the layout before DVC 3 is one of text with Unix line ends.
        if self._hashed == self._size and not ids.is_legacy(self._file.name):
            digest = self._digest.hexdigest()
            self._data.compare(self._file, digest, is_cached=self._version is None)
        self._at += len(piece)

    def _read_at(self, at: int, count: int) -> Any:
        if self._version is None:
            return _read_file(self._data.cached(self._file), at, count)
        return _read_object(self._data, self._file, self._version["e_tag"], at, count)


def _read_file(path: Path, at: int, count: int) -> bytes:
    with path.open("rb", buffering=0) as source:
        return os.pread(source.fileno(), count, at)


def _read_object(
    data: TrackedData, file: TrackedFile, etag: str | None, at: int, count: int
) -> Any:
    import obstore
    from obstore.exceptions import PreconditionError

    options: obstore.GetOptions = {"range": (at, at + count)}
    if etag:
        options["if_match"] = etag
    try:
        with naming_failures(f"read {file.path}", data.remote.settings):
            try:
                return obstore.get(data.remote.store, data.key(file), options=options).bytes()
            except PreconditionError:
                raise ChecksumError(
                    f"{file.path} on the remote {data.remote.address} was written again while it "
                    "was read. Open it again."
                ) from None
    except MissingObjectError:
        raise data.not_pushed(file) from None


def fetch(proof: Proof, file: TrackedFile, limit: int) -> Any:
    """A file on the remote, whole, with one request; None if it is larger than `limit` bytes.

    Raises:
        NotPushedError: it is not there.
        ChecksumError: the content is not what DVC recorded.
        TransferError: the store refused or could not be reached.
    """
    import obstore

    data = proof.data
    try:
        with naming_failures(f"read {file.path}", data.remote.settings):
            answer = obstore.get(data.remote.store, data.key(file))
            if answer.meta["size"] > limit:
                proof.check(file, answer.meta)
                return None
            content = answer.bytes()
    except MissingObjectError:
        raise data.not_pushed(file) from None
    data.compare(file, ids.hash_of(io.BytesIO(content), file.name))
    return content


def recorded(path: str, rev: str | None = None, remote: str | None = None) -> Iterator[Any]:
    """The recorded bytes of a file, from the cache or the remote, in pieces.

    Raises:
        ChecksumError: they are not what DVC recorded; all pieces but the last may have come.
        NotTrackedError: the path is a directory.
        BucketError: as `tree.find`.
    """
    data = tree.find(path, rev, remote)
    if not data.is_file:
        raise NotTrackedError(
            f"{path} is a directory of {len(data.files):,} files. Name one: `bucket ls {path}`."
        )
    [file] = data.files
    version = None
    if not data.cached(file).is_file():
        version = data.versions()[file.path]
        Proof(data).check(file, version)
    return Content(data, file, version).pieces()
