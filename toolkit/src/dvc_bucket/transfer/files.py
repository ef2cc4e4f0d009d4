"""Where the bytes of an object are until all of them are there: never under the name of a file.

Objects that go into a cache of DVC are written to a folder in the cache's root and renamed from
there; other files are written beside their targets. The writer holds a lock on each file that the
kernel lets go when it dies, so that the next process knows what nobody will finish, and removes it.
DVC sees none of it: it looks only into folders with names of two characters.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: Folder in the root of a cache.
UNFINISHED = ".bucket-unfinished"

#: End of the name of a file that is being written.
LOOSE = ".bucket.tmp"

#: Beginning of the name of a folder for copies that are only on their way.
SCRATCH = ".bucket-scratch-"

#: How such a file is opened: it is nobody else's.
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

#: Permissions that a file of a cache does not have; its others do not depend on the umask.
WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH

#: A file of a cache: one named by its MD5; one of DVC 2, named by an MD5 that may have left out
#: line ends; an entry of the run cache. The first group is the cache's root.
CACHE_FILE = re.compile(
    r"(.*?)/(?:files/md5/[0-9a-f]{2}/[0-9a-f]{30}(?:\.dir)?"
    r"|[0-9a-f]{2}/[0-9a-f]{30}(?:\.dir)?"
    r"|runs/[0-9a-f]{2}/[0-9a-f]{64}/[0-9a-f]{64})"
)

#: What an object of the current layout is called after: its MD5, in two parts, and whether it is
#: the list of a directory.
CONTENT_NAME = re.compile(r"(?:.*/)?files/md5/([0-9a-f]{2})/([0-9a-f]{30})(?:\.dir)?")


def promised_md5(path: str) -> str | None:
    """The MD5 that the name of an object or of a cache's file promises; None for other names."""
    parts = CONTENT_NAME.fullmatch(path)
    return parts[1] + parts[2] if parts else None


@dataclass(frozen=True, slots=True)
class ContentHash:
    """A hash by which objects are named.

    Attributes:
        label: what people call it.
        new: begins one.
        promised: from a path to the hash of its bytes, hexadecimal; None where the path promises
            none.
    """

    label: str
    new: Callable[[], "hashlib._Hash"]
    promised: Callable[[str], str | None]

    def of(self, body: "ReadableBuffer") -> str:
        """The hash of bytes, hexadecimal."""
        digest = self.new()
        digest.update(body)
        return digest.hexdigest()


#: DVC's objects.
MD5 = ContentHash("MD5", partial(hashlib.md5, usedforsecurity=False), promised_md5)


class Unfinished:
    """Names for files that are being written, for the threads of one transfer.

    Use it as a context: at its end nothing is left of what was not renamed.
    """

    def __init__(self) -> None:
        self._name, self._numbers = secrets.token_hex(8), count()
        self._folders: set[str] = set()
        self._paths: set[str] = set()
        self._is_over = False

    def __enter__(self) -> "Unfinished":
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        for path in list(self._paths):
            Path(path).unlink(missing_ok=True)
        for folder in self._folders:
            with contextlib.suppress(OSError):  # another process is at work
                Path(folder).rmdir()

    def prepare(self, targets: Sequence[str]) -> None:
        """Make the folder of every cache that the targets are in; remove what the dead left."""
        for folder in {_folder_of(target) for target in targets}:
            if folder.endswith(f"/{UNFINISHED}"):
                self._folders.add(folder)
                _make(Path(folder))
            sweep(Path(folder))

    @contextlib.contextmanager
    def file(self, target: str, mode: int) -> Iterator[int]:
        """A descriptor to write to; the file takes the name `target` if the block succeeds."""
        path, descriptor = self._new(_folder_of(target), mode)
        try:
            yield descriptor
            _rename(path, target)
        except BaseException:  # Ctrl-C too: nothing half written stays
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108
            raise
        finally:
            os.close(descriptor)
            self._paths.discard(path)

    def _new(self, folder: str, mode: int) -> tuple[str, int]:
        """Path and descriptor of a new file in a folder, which is held locked."""
        while True:
            path = f"{folder}/.{self._name}-{next(self._numbers)}{LOOSE}"
            try:
                descriptor = os.open(path, NEW, mode)
            except (FileNotFoundError, NotADirectoryError):  # or a process has just removed it
                if self._is_over:
                    raise
                _make(Path(folder))
                continue
            self._paths.add(path)
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            new = os.fstat(descriptor)
            if new.st_nlink:
                if not mode & WRITABLE and stat.S_IMODE(new.st_mode) != mode:
                    os.fchmod(descriptor, mode)
                return path, descriptor
            os.close(descriptor)  # another process took it for a dead one's before it was locked
            self._paths.discard(path)


def sweep(folder: Path) -> None:
    """Remove the unfinished files of processes that are no more."""
    with contextlib.suppress(FileNotFoundError):  # another process, which is done, removed it
        for path in folder.glob(f".*{LOOSE}"):
            _remove_if_free(path, Path.unlink)


@contextlib.contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """A folder in `root` that is gone afterwards; those of processes that are no more go first."""
    for left in root.glob(f"{SCRATCH}*"):
        _remove_if_free(left, shutil.rmtree)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=root))
        descriptor = os.open(folder, os.O_RDONLY)
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if folder.exists():
            break
        os.close(descriptor)  # another process took it for a dead one's before it was locked
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_if_free(path: Path, remove: Callable[[Path], object]) -> None:
    """Remove a file or folder whose lock no process holds."""
    with contextlib.suppress(OSError):  # another user's, or gone, or its writer lives
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(path)
        finally:
            os.close(descriptor)


def _folder_of(target: str) -> str:
    """Where a file is until it is complete."""
    in_cache = CACHE_FILE.fullmatch(target)
    return f"{in_cache[1]}/{UNFINISHED}" if in_cache else os.path.dirname(target) or "."  # noqa: PTH120


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if folder.name == UNFINISHED:
        with contextlib.suppress(OSError):  # a shared cache is its group's
            folder.chmod(folder.parent.stat().st_mode & 0o7777)


def _rename(path: str, target: str) -> None:
    try:
        os.replace(path, target)  # noqa: PTH105
    except FileNotFoundError:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)  # noqa: PTH105
