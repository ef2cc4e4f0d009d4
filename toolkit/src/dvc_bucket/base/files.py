"""Files that are there whole or not at all; what they take, and how people read that."""

import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from dvc_bucket.base.errors import UnsafePathError

#: For files that hold secrets, or lie beside them: nobody but the owner.
PRIVATE = 0o600

#: For folders of files that nobody but the owner may read, replace or add to.
PRIVATE_FOLDER = 0o700

KILO = 1000


@contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """A temporary file beside `path` that takes its name if, and only if, the block succeeds.

    Args:
        path: of the file.
        mode: its permissions, and until it has them nobody but the owner can read it; None for
            what the process gives to new files.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(unfinished, flags, 0o666 if mode is None else PRIVATE)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException as error:  # Ctrl-C too: nothing half written stays behind
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and not error.filename:  # a full disk names no file
            error.filename = str(path)
        raise


def write_private(path: Path, text: str) -> None:
    """Write `path` in one step: no reader sees half of it, or it with a wider mode."""
    with replacing(path, PRIVATE) as file:
        file.write(text.encode())


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `path` in one step, with the permissions that it has, or those of a new file."""
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
    with replacing(path, mode) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def all_written(texts: Mapping[Path, str]) -> Iterator[None]:
    """Write several files before the block; if one of them or the block fails, restore them all.

    A process that is killed leaves the first of them, in the order of the mapping.

    Args:
        texts: of new files, or the new texts of files that are there.
    """
    before = {path: path.read_bytes() if path.exists() else None for path in texts}
    folders = [folder for path in texts for folder in path.parents if not folder.exists()]
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
        yield
    except BaseException:  # Ctrl-C too: all or nothing
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                write_whole(path, content)
        for folder in sorted(folders, key=lambda one: len(one.parts), reverse=True):
            with suppress(OSError):  # somebody else put a file there
                folder.rmdir()
        raise


def private_folder(path: Path) -> Path:
    """Return a folder that only its owner can enter; create it if it is missing.

    Raises:
        UnsafePathError: it exists, and belongs to another user, is a link or a file, or other
            users could enter it. Its contents could be theirs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=PRIVATE_FOLDER)
    except FileExistsError:
        pass
    else:
        path.chmod(PRIVATE_FOLDER)  # whatever the umask says
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise UnsafePathError(f"{path} is not a folder. Move it away and run the command again.")
    if status.st_uid != os.geteuid():
        raise UnsafePathError(
            f"{path} belongs to the user with the ID {status.st_uid}. Its contents are not "
            "trusted. Move it away and run the command again."
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & ~PRIVATE_FOLDER:
        raise UnsafePathError(
            f"{path} has the mode {mode:04o}, so other users can enter it. Its contents are not "
            "trusted. Move it away and run the command again."
        )
    return path


def is_writable(folder: Path) -> bool:
    """Whether this user can make files in a folder, or make the folder in the nearest above it."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    return os.access(nearest, os.W_OK | os.X_OK)


def files_below(folder: Path, onerror: Callable[[OSError], object] | None = None) -> Iterator[Path]:
    """Everything in a folder that is no folder; links to folders are not followed.

    Args:
        folder: to walk through.
        onerror: hears of folders that cannot be listed; None leaves them out.
    """
    return (Path(entry.path) for entry in entries_below(folder, onerror))


def entries_below(
    folder: Path | str, onerror: Callable[[OSError], object] | None = None
) -> Iterator["os.DirEntry[str]"]:
    """As `files_below`, but what the folder's list has of each: no other look at the file yet."""
    folders = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    yield entry
    except OSError as error:
        if onerror:
            onerror(error)
    for below in folders:
        yield from entries_below(below, onerror)


def size_on_disk(folder: Path) -> int:
    """Bytes that a folder takes, counted in blocks."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except OSError:  # the store has just removed it
            continue
    return total


def readable_size(count: float) -> str:
    """A number of bytes as people read it."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < KILO:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= KILO
    return f"{count:.1f} TB"
