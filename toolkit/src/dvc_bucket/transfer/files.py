"""Files that are being written: each has its name only when all its bytes are there.

Until then a file lies beside its target under a name that ends with `LOOSE`; one of a DVC cache
lies in the folder `UNFINISHED` of the cache's root, where DVC does not look. Its writer holds a
lock on it, which the kernel releases when the writer dies: an unfinished file without a lock is
left over, and the next transfer into the same folder removes it.
"""

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

#: The folder in the root of a cache for its unfinished files.
UNFINISHED = ".bucket-unfinished"

#: End of the name of an unfinished file.
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
    found = CONTENT_NAME.fullmatch(path)
    return found[1] + found[2] if found else None


class Unfinished:
    """Makes the unfinished files of one transfer, for its threads.

    Use it as a context: at its end no unfinished file of the transfer is left.
    """

    def __init__(self) -> None:
        self._caches: set[Path] = set()
        self._paths: set[str] = set()

    def __enter__(self) -> "Unfinished":
        return self

    def __exit__(self, *_: object) -> None:
        for path in list(self._paths):
            Path(path).unlink(missing_ok=True)
        for folder in self._caches:
            with contextlib.suppress(OSError):  # another process writes there
                folder.rmdir()

    def prepare(self, targets: Sequence[str]) -> None:
        """Remove what dead processes left in the folders of unfinished files."""
        for folder in {Path(_folder_of(target)) for target in targets}:
            if folder.name == UNFINISHED:
                self._caches.add(folder)
                _make(folder)
            sweep_loose(folder)

    @contextlib.contextmanager
    def file(self, target: str, mode: int) -> Iterator[int]:
        """A descriptor to write to; the file takes the name `target` if the block succeeds."""
        path = f"{_folder_of(target)}/.{secrets.token_hex(8)}{LOOSE}"
        descriptor = _create(path, mode)
        self._paths.add(path)
        try:
            yield descriptor
            _rename(path, target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108
            raise
        finally:
            os.close(descriptor)
            self._paths.discard(path)


def sweep_loose(folder: Path) -> None:
    """Remove the unfinished files in a folder whose writers are dead."""
    for path in folder.glob(f".*{LOOSE}"):
        with contextlib.suppress(OSError):  # another user's, locked by its writer, or gone
            descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def _folder_of(target: str) -> str:
    """The folder of the unfinished file of a target."""
    found = CACHE_FILE.fullmatch(target)
    return f"{found[1]}/{UNFINISHED}" if found else os.path.dirname(target)  # noqa: PTH120


def _make(folder: Path) -> None:
    """Make a folder of unfinished files; in a cache it has the permissions of the cache."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.name == UNFINISHED:
        with contextlib.suppress(OSError):  # another user made it
            folder.chmod(folder.parent.stat().st_mode & 0o7777)


def _create(path: str, mode: int) -> int:
    """Create a file and lock it."""
    while True:
        try:
            descriptor = os.open(path, NEW, mode)
        except (FileNotFoundError, NotADirectoryError):  # the last writer removed the folder
            _make(Path(path).parent)
            continue
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # another process swept it before it was locked


def _rename(path: str, target: str) -> None:
    try:
        os.replace(path, target)  # noqa: PTH105
    except FileNotFoundError:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)  # noqa: PTH105
