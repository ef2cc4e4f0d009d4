"""Files that are there whole or not at all, and what a folder of them takes."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: For files that hold secrets, or lie beside them: nobody but the owner.
PRIVATE = 0o600


@contextmanager
def replacing(path: Path, mode: int) -> Iterator["tempfile._TemporaryFileWrapper[bytes]"]:
    """A temporary file beside `path` that takes its name if, and only if, the block succeeds.

    Until then nobody but the owner can read it; then it has the permissions `mode`.
    """
    file = tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False)  # noqa: SIM115
    try:
        with file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(file.name).replace(path)
    except BaseException:
        Path(file.name).unlink(missing_ok=True)
        raise


def write_private(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Write `path` in one step: no reader sees half of it, or it with a wider mode."""
    with replacing(path, mode) as file:
        file.write(text.encode())


def size_on_disk(folder: Path) -> int:
    """Bytes that a folder takes, counted in blocks."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except OSError:  # the store has just removed it
            continue
    return total
