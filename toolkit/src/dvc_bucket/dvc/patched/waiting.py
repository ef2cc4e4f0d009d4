"""Has a DVC command wait for another one in the same clone, where plain DVC would fail.

DVC locks the clone while it reads and writes its own files, and the paths that a stage reads and
writes while the stage runs; meanwhile the clone is free. For the lock of the clone, DVC's option
`--wait-for-lock` waits. For locked paths nothing of DVC's does: a `repro` that comes to a stage
which another `repro` runs, or a `status` of it, ends with an error. Three functions change that:

- `patient`, in the place of `rwlock`, which locks paths: waits until they are free. Meanwhile it
  unlocks the clone, without which the other command could not finish.
- `noted`, in the place of `make_lock`: remembers this process's locks, for that. Where
  `core.hardlink_lock` was switched on, it removes what the other kind of lock left.
- `fresh`, in the place of `Stage.reproduce`: after waiting, reads the stage again, as the other
  command may have brought it up to date.
"""

import fcntl
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from dvc_bucket.dvc.patched.channel import logger
from dvc_bucket.dvc.patched.replacement import replacement

#: Time between two attempts to lock the paths.
RETRY_SECONDS = 0.5

#: The file in DVC's temporary folder that is the lock of the clone.
CLONE_LOCK = "lock"

#: The file that is the lock of DVC's list of locked paths.
PATHS_LOCK = "rwlock.lock"

#: How long to wait for a lock without a word.
SAID_AFTER = timedelta(seconds=3)

#: What a plain lock leaves in its file: the number of the process. Source: zc.lockfile.
PLAIN_CONTENT = re.compile(rb"\s*\d*\s*")

#: The files of the locks that this process made.
_lock_files: WeakKeyDictionary[Any, str] = WeakKeyDictionary()

#: Whether this process has waited, so that stages that it read before may have changed.
_has_waited = False


class _Reproducing(threading.local):
    """How many calls of `Stage.reproduce` of this thread are under way, one in another."""

    depth = 0


_reproducing = _Reproducing()


class _WaitedError(Exception):
    """The paths were locked and are free now: the stage may be up to date."""


@replacement
@contextmanager
def patient(
    rwlock: Callable[..., AbstractContextManager[None]],
    tmp_dir: str,
    *arguments: Any,
    **named: Any,
) -> Iterator[None]:
    """DVC's `rwlock` that waits for the paths."""
    from dvc.lock import LockError

    global _has_waited
    if named.get("hardlink") or any(arguments[4:5]):
        _remove_plain(Path(tmp_dir, PATHS_LOCK))
    clone = _held_lock(_resolved(Path(tmp_dir, CLONE_LOCK)))
    waited = False
    with ExitStack() as paths:
        while True:
            try:
                paths.enter_context(rwlock(tmp_dir, *arguments, **named))
                break
            except LockError as busy:
                if clone is None:
                    raise
                if not waited:
                    logger.warning("Waiting: %s", str(busy).partition("\n\n")[0])
                waited = _has_waited = True
            clone.unlock()
            try:
                time.sleep(RETRY_SECONDS)
            finally:
                clone.lock()
        if waited and _reproducing.depth:
            raise _WaitedError
        yield


@replacement
def noted(make_lock: Callable[..., Any], lockfile: str, *arguments: Any, **named: Any) -> Any:
    """DVC's `make_lock` that remembers each lock and its file."""
    if is_hardlink := named.get("hardlink_lock", False):
        _remove_plain(Path(lockfile))
    lock = make_lock(lockfile, *arguments, **named)
    if is_hardlink and named.get("wait"):
        lock.lock = _saying(lock, lockfile)
    _lock_files[lock] = _resolved(lockfile)
    return lock


def _remove_plain(file: Path) -> None:
    """Remove the file of DVC's plain lock, which it leaves, if no process holds that lock.

    To the other kind of lock, the file itself is the lock.
    """
    with suppress(OSError), file.open("rb") as stream:  # none is there
        if os.fstat(stream.fileno()).st_nlink == 1 and PLAIN_CONTENT.fullmatch(stream.read(100)):
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.unlink()


def _saying(lock: Any, file: str) -> Callable[[], None]:
    """The method `lock` of a hard-link lock, which says for what it waits.

    Such a lock outlives a process that was killed, and does not tell whose it is.
    """

    def wait() -> None:
        from dvc.lock import LockError

        try:
            type(lock).lock(lock, timeout=SAID_AFTER)
        except LockError:
            logger.warning(
                "Waiting: another command holds %s. If no command is running in this clone, here "
                "or on another machine, delete that file: a killed command left it.",
                file,
            )
            type(lock).lock(lock)

    return wait


@replacement
def fresh(reproduce: Callable[..., Any], stage: Any, *arguments: Any, **named: Any) -> Any:
    """DVC's `Stage.reproduce` that starts again with the current stage if it had to wait."""
    while True:
        if _has_waited:
            stage.repo._reset()
            # DVC records the object that it has: that becomes the current stage.
            vars(stage).update(vars(stage.reload()))
        _reproducing.depth += 1
        try:
            return reproduce(stage, *arguments, **named)
        except _WaitedError:
            continue
        finally:
            _reproducing.depth -= 1


def exchange(lock: Any, other: Any) -> None:
    """Another lock stands for one that this process made."""
    if file := _lock_files.pop(lock, None):
        _lock_files[other] = file


def _held_lock(file: str) -> Any:
    """The lock on a file that this process holds; None if it holds none."""
    held = (lock for lock, name in list(_lock_files.items()) if name == file and lock.is_locked)
    return next(held, None)


def _resolved(path: Any) -> str:
    """One form for all ways to write a path."""
    with suppress(OSError):
        return str(Path(path).resolve())
    return str(path)
