"""Where the bytes of an object are until all of them are there: never under the name of a file.

Objects that go into a cache of DVC are written to a folder of this process in the cache's root and
renamed from there. The process holds a lock on the folder that the kernel lets go when it dies, so
that the next one knows what nobody will finish, and removes it. DVC sees none of it: it looks only
into folders with names of two characters.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: Folder in the root of a cache; a folder of each running process is in it.
UNFINISHED = ".bucket-unfinished"

#: The file in a process's folder that it holds locked.
LOCK = "lock"

#: End of the name of a file that is being written; its writer holds it locked where it lies beside
#: its target.
LOOSE = ".bucket.tmp"

#: How such a file is opened: it is nobody else's.
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

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
        self._folders: dict[str, str] = {}
        self._open = contextlib.ExitStack()
        self._loose: set[str] = set()

    def __enter__(self) -> "Unfinished":
        return self

    def __exit__(self, *_: object) -> None:
        for path in list(self._loose):
            Path(path).unlink(missing_ok=True)
        self._open.close()

    def prepare(self, targets: Sequence[str]) -> None:
        """Make the folder of every cache that the targets are in; clean the others' folders."""
        others = set()
        for target in targets:
            if in_cache := CACHE_FILE.fullmatch(target):
                if in_cache[1] not in self._folders:
                    self._folders[in_cache[1]] = self._open.enter_context(
                        folder_of_process(in_cache[1])
                    )
            else:
                others.add(os.path.dirname(target))  # noqa: PTH120 (for speed, here and below)
        for folder in others:
            sweep_loose(Path(folder))

    @contextlib.contextmanager
    def file(self, target: str, mode: int) -> Iterator[int]:
        """A descriptor to write to; the file takes the name `target` if the block succeeds."""
        in_cache = CACHE_FILE.fullmatch(target)
        folder = self._folders[in_cache[1]] if in_cache else os.path.dirname(target)  # noqa: PTH120
        path = f"{folder}/.{secrets.token_hex(8)}{LOOSE}"
        if not in_cache and not os.path.isdir(folder):  # noqa: PTH112
            Path(folder).mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, NEW, mode)
        try:
            if not in_cache:
                self._loose.add(path)
                _lock(descriptor)
            yield descriptor
            _rename(path, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108
            raise
        finally:
            os.close(descriptor)
            self._loose.discard(path)


@contextlib.contextmanager
def folder_of_process(root: str) -> Iterator[str]:
    """A folder in the cache's `root` that is gone afterwards; those of dead processes go first."""
    base = Path(root, UNFINISHED)
    path, lock = _make(base)
    try:
        yield str(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)
        with contextlib.suppress(OSError):  # another process is at work
            base.rmdir()


def _make(base: Path) -> tuple[Path, int]:
    """A new folder in `base`, and the descriptor that holds its lock."""
    while True:
        base.mkdir(parents=True, exist_ok=True)
        try:
            with _locked(base):
                with contextlib.suppress(OSError):  # a shared cache is its group's
                    base.chmod(base.parent.stat().st_mode & 0o7777)
                sweep(base)
                path = Path(tempfile.mkdtemp(dir=base))
                lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
                _lock(lock)
                return path, lock
        except FileNotFoundError:  # a process that ended has just removed the base
            continue


def sweep(base: Path) -> None:
    """Remove the folders of processes that are no more."""
    for path in base.iterdir():
        try:
            lock = os.open(path / LOCK, os.O_RDWR)
        except FileNotFoundError:  # it died as it made the folder
            shutil.rmtree(path, ignore_errors=True)
            continue
        except OSError:  # another user's
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except OSError:  # it lives, or there are no locks here to tell
            pass
        finally:
            os.close(lock)


def sweep_loose(folder: Path) -> None:
    """Remove the files beside their targets of processes that are no more."""
    for path in folder.glob(f".*{LOOSE}"):
        with contextlib.suppress(OSError):  # another user's, or gone
            descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def _rename(path: str, target: str) -> None:
    try:
        os.replace(path, target)  # noqa: PTH105
    except FileNotFoundError:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)  # noqa: PTH105


def _lock(descriptor: int) -> None:
    """Say that somebody works on this file, as long as the descriptor is open."""
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextlib.contextmanager
def _locked(base: Path) -> Iterator[None]:
    """One process at a time makes and sweeps folders."""
    descriptor = os.open(base, os.O_RDONLY)
    try:
        _lock(descriptor)
        if os.fstat(descriptor).st_ino != base.stat().st_ino:
            raise FileNotFoundError(base)  # another one of the same name
        yield
    finally:
        os.close(descriptor)
