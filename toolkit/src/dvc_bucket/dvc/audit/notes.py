"""Which versions of which objects were read whole and had the right hash.

`bucket verify --deep` and readers (`dvc_bucket.read.proof`) write the notes. A note holds two
marks: of the version of the object, and of its key. If a key has a note and its version has none,
somebody wrote the object again after the last proof.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.base.files import is_writable
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.remote.connection import Remote

#: A mark.
TYPE = np.dtype("<u8")


class Notes:
    """A file that only grows, a note at a time: what stops a run leaves those before intact."""

    def __init__(self, project: Project) -> None:
        self._path: Path = project.verified

    def read(self) -> NDArray[np.uint64]:
        """All marks; an incomplete one at the end is left out."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            data = b""
        whole = len(data) - len(data) % TYPE.itemsize
        return np.frombuffer(data[:whole], TYPE).astype(np.uint64)

    @contextmanager
    def appending(self) -> Iterator[IO[bytes]]:
        """The file, for `note`; each is in it when that returns.

        In a clone that cannot be written, notes are kept for this process alone.
        """
        if not is_writable(self._path.parent):
            with tempfile.TemporaryFile(buffering=0) as file:
                yield file
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        size = self._path.stat().st_size if self._path.exists() else 0
        with self._path.open("ab", buffering=0) as file:
            if size % TYPE.itemsize:
                os.ftruncate(file.fileno(), size - size % TYPE.itemsize)
            yield file


def note(file: IO[bytes], version: int, key: int) -> None:
    """Remember a version of an object by its mark and the mark of its key."""
    file.write(b"".join(int(mark).to_bytes(TYPE.itemsize, "little") for mark in (version, key)))


def salt_of(remote: Remote) -> str:
    """What tells an object from one of the same key elsewhere."""
    return f"{remote.settings.endpoint_url}\0{remote.settings.bucket_name}\0"


def mark(salt: str, item: Any) -> int:
    """The mark of a version of an object, from a listing or from the answer to a request.

    Only listings of some stores have fractions of a second.
    """
    written = item["last_modified"].replace(microsecond=0)
    return key_mark(salt, f"{item['path']}\0{item['size']}\0{item['e_tag']}\0{written}")


def key_mark(salt: str, key: str) -> int:
    """The mark of a key."""
    digest = blake2b(os.fsencode(f"{salt}{key}"), digest_size=TYPE.itemsize).digest()
    return int.from_bytes(digest, "big")
