"""Two DVC commands at once in one clone: one waits where DVC would have it fail.

DVC guards a clone with a lock of the whole, which a running stage lets go, and with locks of the
paths that stages read and write. For the first DVC has `--wait-for-lock`. The others are here: a
`repro` comes to a stage that another `repro` runs, or a `status` looks at one.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

#: Between two looks whether the other is done.
LOOK_SECONDS = 0.5

#: The file in DVC's temporary folder that is the lock of the whole clone.
CLONE_LOCK = "lock"

#: DVC's own channel, so that `-q` silences this, too.
logger = logging.getLogger("dvc").getChild("bucket")

#: How many stages this process is about to bring up to date, one in another; and whether it ever
#: waited, so that what it has read of stages can be of before.
_reproducing = 0
_waited = False


class _WaitedError(Exception):
    """The paths are free now: look again whether there is something to do."""


#: The locks that this process made, and their files.
_files: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def noted(make_lock: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `make_lock`, each lock noted by its file."""

    def make(lockfile: str, *arguments: Any, **named: Any) -> Any:
        lock = make_lock(lockfile, *arguments, **named)
        _files[lock] = _name(lockfile)
        return lock

    return make


def patient(
    rwlock: Callable[..., AbstractContextManager[None]],
) -> Callable[..., AbstractContextManager[None]]:
    """DVC's `rwlock`, waiting for the paths; the clone is free for others meanwhile."""

    @contextmanager
    def wait(tmp_dir: str, *arguments: Any, **named: Any) -> Iterator[None]:
        from dvc.lock import LockError

        global _waited
        clone = _held(_name(Path(tmp_dir, CLONE_LOCK)))
        with ExitStack() as held:
            told = False
            while True:
                try:
                    held.enter_context(rwlock(tmp_dir, *arguments, **named))
                    if told and _reproducing:
                        raise _WaitedError
                    break
                except LockError as busy:
                    if clone is None:
                        raise
                    if not told:
                        logger.warning("Waiting: %s", str(busy).partition("\n\n")[0])
                        told = _waited = True
                clone.unlock()
                try:
                    time.sleep(LOOK_SECONDS)
                finally:
                    clone.lock()
            yield

    return wait


def fresh(reproduce: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `Stage.reproduce`, of the stage as it is when another command is done with it.

    What that has made is not made once more.
    """

    def again(stage: Any, *arguments: Any, **named: Any) -> Any:
        global _reproducing
        while True:
            if _waited:
                stage.repo._reset()
                stage = stage.reload()
            _reproducing += 1
            try:
                return reproduce(stage, *arguments, **named)
            except _WaitedError:
                continue
            finally:
                _reproducing -= 1

    return again


def _held(file: str) -> Any:
    """The lock on this file that this process holds, if it does."""
    mine = (lock for lock, name in list(_files.items()) if name == file and lock.is_locked)
    return next(mine, None)


def _name(path: Any) -> str:
    """The same for every way to write a path."""
    with suppress(OSError):
        return str(Path(path).resolve())
    return str(path)
