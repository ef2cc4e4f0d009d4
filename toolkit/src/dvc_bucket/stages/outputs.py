"""Outputs that are there whole or not at all: written under a temporary name, then renamed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def complete_or_absent(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, file or folder, renamed to it if the block succeeds.

    The block writes the file or folder. Missing parent folders are created. A link at `path` is
    replaced, and its target does not change.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    remove(temporary)
    try:
        yield temporary
        if temporary.is_dir():
            remove(path)
        temporary.replace(path)
    finally:
        remove(temporary)


@contextmanager
def scratch(path: Path) -> Iterator[Path]:
    """A new folder at `path`, removed at the end of the block.

    Files that a killed run left there are removed first.
    """
    remove(path)
    is_first = not path.parent.exists()
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        remove(path)
        if is_first:
            with suppress(OSError):
                path.parent.rmdir()  # if nothing else came into it


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
