"""Small files of the remote, each fetched whole with one request and proven right."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from bucket import tracked
from bucket.errors import ChecksumError, MissingObjectError
from bucket.remote import ids
from bucket.tracked import Tracked, TrackedFile
from bucket.transfer import naming_failures

#: A file up to this size is worth fetching whole, ...
WHOLE_BYTES = 1024 * 1024

#: ... if there are so many that asking for the size of each costs more.
FEWEST = 16


def place(found: Tracked, file: TrackedFile) -> str:
    """Where pyarrow's S3 file system has the file."""
    return f"{found.remote.settings.bucket_name}/{found.key(file)}"


@dataclass(frozen=True)
class WholeFiles:
    """Gets files by their places."""

    found: Tracked
    files: Mapping[str, TrackedFile]

    @classmethod
    def of(cls, found: Tracked) -> Self | None:
        """Those of what was found; None unless they are many and, by what DVC noted, small."""
        noted = [file.size or file.mean_size for file in found.files]
        known = [size for size in noted if size is not None]
        is_small = len(known) == len(noted) and sum(known) <= WHOLE_BYTES * len(known)
        if len(noted) < FEWEST or not is_small:
            return None
        return cls(found, {place(found, file): file for file in found.files})

    def __call__(self, place: str) -> pa.Buffer | None:
        """The content of the file at a place; None if it is too large to be fetched whole.

        Raises:
            NotPushedError: it is not on the remote.
            ChecksumError: the content is not what DVC recorded.
            TransferError: the store refused or could not be reached.
        """
        import obstore

        file, remote = self.files[place], self.found.remote
        try:
            with naming_failures(f"read {file.path}", remote.settings):
                answer = obstore.get(remote.store, self.found.key(file))
                if answer.meta["size"] > WHOLE_BYTES:
                    return None
                content = answer.bytes()
        except MissingObjectError:
            raise tracked.not_pushed(self.found, file) from None
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if not ids.is_legacy(file.name) and digest != ids.md5(file.name):
            raise ChecksumError(
                f"{file.path} is damaged on the remote {remote.address}: it has the MD5 {digest}, "
                f"and DVC recorded {ids.md5(file.name)}. `bucket verify --deep --repair` mends it "
                "from a clone that has the data."
            )
        return _of_arrow(memoryview(content))


def _of_arrow(content: memoryview) -> pa.Buffer:
    """A copy that Arrow owns.

    Arrow's threads let go of buffers late. For one that Python owns they need the interpreter, and
    where that has ended by then, the process dies of "terminate called".
    """
    sink = pa.BufferOutputStream()
    sink.write(content)
    return sink.getvalue()
