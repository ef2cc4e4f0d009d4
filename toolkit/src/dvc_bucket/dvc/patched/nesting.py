"""Locks paths once, where DVC edits the file of locked paths again and again.

DVC locks the paths of a stage nine times to reproduce it, one in another, and those of each stage
by themselves to compare it with what is recorded.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any

from dvc_bucket.dvc.patched.replacement import replacement


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


@replacement
@contextmanager
def once(
    rwlock: Callable[..., AbstractContextManager[None]],
    tmp_dir: str,
    fs: Any,
    cmd: str,
    read: Iterable[str],
    write: Iterable[str],
    hardlink: bool,
) -> Iterator[None]:
    """DVC's `rwlock`, which passes over what this thread has locked."""
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


@replacement
def at_once(
    joint_status: Callable[..., Any],
    pairs: Iterable[tuple[Any, Any]],
    *arguments: Any,
    **named: Any,
) -> Any:
    """DVC's `_joint_status`, which waits until nobody writes the paths of any of the stages.

    Meanwhile the clone is locked. As nobody can lock a path without that, it suffices to have the
    paths for a moment; and a command that is killed leaves none of them locked.
    """
    stages = list(pairs)
    with _free([stage for stage, _ in stages]):
        return joint_status(stages, *arguments, **named)


@contextmanager
def _free(stages: list[Any]) -> Iterator[None]:
    """This thread has what these stages read and write, to read it, in this block."""
    from dvc.stage.decorators import rwlocked

    read = rwlocked(read=["deps", "outs"])(lambda _: _held.read.copy())
    paths = set[str]()
    if stages:
        deps = [dep for stage in stages for dep in stage.deps]
        outs = [out for stage in stages for out in stage.outs]
        paths = read(SimpleNamespace(repo=stages[0].repo, deps=deps, outs=outs)) - _held.read
    _held.read |= paths
    try:
        yield
    finally:
        _held.read -= paths


@contextmanager
def labelled(label: str) -> Iterator[None]:
    """This thread's locks are not those of another one in the process, in this block."""
    _held.label = f" ({label})"
    try:
        yield
    finally:
        _held.label = ""
