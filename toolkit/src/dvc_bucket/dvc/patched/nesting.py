"""Locks the paths of a stage once; DVC does it nine times, one in another, each editing a file."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


class _Held(threading.local):
    """What this thread has locked.

    Attributes:
        read: paths that others may read, too.
        written: paths that nobody else may touch.
        label: that tells this thread from others of the process in the list of locked paths.
    """

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.written: set[str] = set()
        self.label = ""


_held = _Held()


def once(
    rwlock: Callable[..., AbstractContextManager[None]],
) -> Callable[..., AbstractContextManager[None]]:
    """DVC's `rwlock`, which passes over what this thread has locked."""

    @contextmanager
    def lock(
        tmp_dir: str, fs: Any, cmd: str, read: Iterable[str], write: Iterable[str], hardlink: bool
    ) -> Iterator[None]:
        writes = set(write) - _held.written
        reads = set(read) - _held.read - _held.written
        if not (writes or reads):
            yield
            return
        with rwlock(tmp_dir, fs, cmd + _held.label, sorted(reads), sorted(writes), hardlink):
            _held.read |= reads
            _held.written |= writes
            try:
                yield
            finally:
                _held.read -= reads
                _held.written -= writes

    return lock


@contextmanager
def labelled(label: str) -> Iterator[None]:
    """This thread's locks are not those of another one in the process, in this block."""
    _held.label = f" ({label})"
    try:
        yield
    finally:
        _held.label = ""
