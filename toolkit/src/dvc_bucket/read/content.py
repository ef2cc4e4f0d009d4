"""The content of a recorded file as a stream that is hashed as its bytes pass."""

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import ChecksumError, MissingObjectError, NotTrackedError
from dvc_bucket.dvc.remote import ids
from dvc_bucket.read import tree
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.read.proof import Proof
from dvc_bucket.read.tracked import TrackedData, TrackedFile
from dvc_bucket.transfer import ranges
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
        self._data = data.owned(file) if version else data
        self._file, self._version = file, version
        self._size = version["size"] if version else data.cached(file).stat().st_size
        self._at = self._hashed = 0
        self._digest = hashlib.md5(usedforsecurity=False)
        self._whole: ranges.Whole | None = None

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

        for content in self._read_ahead(piece, starts):
            self._add(memoryview(content))
            yield content

    def _read_ahead(self, piece: Callable[[int], Any], starts: Sequence[int]) -> Iterable[Any]:
        if len(starts) > 1 and self._comes_whole():
            return map(piece, starts)  # out of one answer
        return prefetch(piece, starts, threads=PIECES, count=PIECES)

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
        with _naming_failures(self._data, self._file):
            if self._whole:
                return self._whole.read(at, at + count)
            remote, key = self._data.remote, self._data.key(self._file)
            etag = self._version["e_tag"]
            return ranges.read(remote.settings, remote.store, key, at, at + count, etag)

    def _comes_whole(self) -> bool:
        """Whether each answer of the store has all of the object; then parts share one."""
        if self._version is None:
            return False
        remote, key = self._data.remote, self._data.key(self._file)
        with _naming_failures(self._data, self._file):
            answer = ranges.find_out(remote.settings, remote.store, key)
        if answer is ranges.RangeAnswer.WHOLE and not self._whole:
            self._whole = ranges.Whole(remote.store, key, self._version["e_tag"])
        return self._whole is not None


def _read_file(path: Path, at: int, count: int) -> bytes:
    with path.open("rb", buffering=0) as source:
        return os.pread(source.fileno(), count, at)


@contextmanager
def _naming_failures(data: TrackedData, file: TrackedFile) -> Iterator[None]:
    """Turn the client's exceptions into ours.

    Raises:
        ChecksumError: the object is another version.
        NotPushedError: there is no object.
        TransferError: the store refused or could not be reached.
    """
    from obstore.exceptions import PreconditionError

    try:
        with naming_failures(f"read {file.path}", data.remote.settings):
            try:
                yield
            except PreconditionError:
                raise ChecksumError(
                    f"{file.path} on the remote {data.remote.address} was overwritten while it was "
                    "read. Open it again."
                ) from None
    except MissingObjectError:
        raise data.not_pushed(file) from None


def fetch(proof: Proof, file: TrackedFile, limit: int) -> Any:
    """A file on the remote, whole, with one request; None if it is larger than `limit` bytes.

    A larger one comes whole, too, from a store that sends no parts.

    Raises:
        NotPushedError: it is not there.
        ChecksumError: the content is not what DVC recorded.
        TransferError: the store refused or could not be reached.
    """
    data = proof.data.owned(file)
    store = data.remote.store
    with _naming_failures(data, file):
        for attempt in store.attempts("GET", data.key(file)):
            with attempt:
                answer = store.once.get(data.key(file))
                is_large = answer.meta["size"] > limit
                content = b"" if is_large else answer.bytes()
        if is_large and has_ranges(data, file):
            proof.check(file, answer.meta)
            return None
        content = content or store.read(data.key(file))
    data.compare(file, ids.hash_of(io.BytesIO(content), file.name))
    return content


def has_ranges(data: TrackedData, file: TrackedFile) -> bool:
    """Whether the store sends parts of a file that is not empty.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    remote = data.owned(file).remote
    with naming_failures(f"read {file.path}", remote.settings):
        answer = ranges.find_out(remote.settings, remote.store, remote.key(file.name))
    return answer is not ranges.RangeAnswer.WHOLE


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
