"""Small files of the remote, each fetched whole with one request and proven by its MD5."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import pyarrow as pa

from dvc_bucket.base.errors import MissingObjectError
from dvc_bucket.dvc.remote import ids
from dvc_bucket.read import versions
from dvc_bucket.read.csv_lines import buffer
from dvc_bucket.read.proof import Proof
from dvc_bucket.read.tracked import Tracked, TrackedFile
from dvc_bucket.transfer.errors import naming_failures

#: A file up to this size is worth fetching whole, ...
WHOLE_BYTES = 1024 * 1024

#: ... if there are so many that asking for the size of each costs more.
MIN_FILES = 16


def place(found: Tracked, file: TrackedFile) -> str:
    """Where pyarrow's S3 file system has the file."""
    return f"{found.remote.settings.bucket_name}/{found.key(file)}"


@dataclass(frozen=True)
class WholeFiles:
    """Gets files by their places.

    Attributes:
        proof: of those that are too large to be fetched whole.
        files: by their places.
    """

    proof: Proof
    files: Mapping[str, TrackedFile]

    @classmethod
    def of(cls, proof: Proof) -> Self | None:
        """Those that are to be proven; None unless they are many and, by what DVC noted, small."""
        found = proof.found
        noted = [file.size or file.mean_size for file in found.files]
        known = [size for size in noted if size is not None]
        is_small = len(known) == len(noted) and sum(known) <= WHOLE_BYTES * len(known)
        if len(noted) < MIN_FILES or not is_small:
            return None
        return cls(proof, {place(found, file): file for file in found.files})

    def __call__(self, place: str) -> pa.Buffer | None:
        """The content of the file at a place; None if it is too large to be fetched whole.

        Raises:
            NotPushedError: it is not on the remote.
            ChecksumError: the content is not what DVC recorded.
            TransferError: the store refused or could not be reached.
        """
        import obstore

        from dvc_bucket.dvc.audit.needed import stream_md5

        file, found = self.files[place], self.proof.found
        try:
            with naming_failures(f"read {file.path}", found.remote.settings):
                answer = obstore.get(found.remote.store, found.key(file))
                if answer.meta["size"] > WHOLE_BYTES:
                    self.proof.check(file, answer.meta)
                    return None
                content = answer.bytes()
        except MissingObjectError:
            raise versions.not_pushed(found, file) from None
        if ids.is_legacy(file.name):
            digest = stream_md5(io.BytesIO(content), file.name)
        else:
            digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if digest != ids.md5(file.name):
            raise versions.damaged(found, file, versions.other_md5(digest, file))
        return buffer(memoryview(content))
