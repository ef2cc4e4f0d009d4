"""Which versions of which objects were read and found right, so that nobody reads them again."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from bucket.paths import Project

#: A note is the mark of an object's version in the listing.
TYPE = np.dtype("<u8")


class Notes:
    """A file that only grows, a note at a time: what stops a run leaves those before intact."""

    def __init__(self, project: Project) -> None:
        self._path: Path = project.verified

    def read(self) -> NDArray[np.uint64]:
        """All notes; a last one that was cut off is none."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            data = b""
        whole = len(data) - len(data) % TYPE.itemsize
        return np.frombuffer(data[:whole], TYPE).astype(np.uint64)

    @contextmanager
    def appending(self) -> Iterator[IO[bytes]]:
        """The file, for `note`; each is in it when that returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        size = self._path.stat().st_size if self._path.exists() else 0
        with self._path.open("ab", buffering=0) as file:
            os.ftruncate(file.fileno(), size - size % TYPE.itemsize)
            yield file


def note(file: IO[bytes], mark: int) -> None:
    """Remember a version of an object."""
    file.write(int(mark).to_bytes(TYPE.itemsize, "little"))
