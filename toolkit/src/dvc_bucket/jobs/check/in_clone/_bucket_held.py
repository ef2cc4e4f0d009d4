"""Fixes, in the Python of a stage, the clock, random numbers and the order of files in a folder.

For experiments of `bucket check`. Each is a variable of the environment; without it nothing is
fixed. What a library in C or C++ reads of them itself, only libfaketime fixes.
"""

import ctypes
import datetime
import functools
import gc
import glob
import hashlib
import itertools
import os
import random
import select
import sys
import time
from typing import Any

#: Seconds since 1970 at which the clock stands, and `runs` after them if durations are measured; a
#: number from which all random numbers follow; `sorted` or `reversed`; and, in any value, that no
#: other process may be connected to.
CLOCK, CHANCE, LISTING = "BUCKET_HELD_CLOCK", "BUCKET_HELD_CHANCE", "BUCKET_HELD_LISTING"
NO_NETWORK = "BUCKET_HELD_NO_NETWORK"


def hold() -> None:
    """Hold what the environment says."""
    if "libfaketime" in os.environ.get("LD_PRELOAD", ""):
        time.sleep = _sleep  # libfaketime breaks the system call of Python's own
    if clock := os.environ.get(CLOCK):
        seconds, *words = clock.split()
        hold_clock(int(seconds), is_measured="runs" in words)
    if chance := os.environ.get(CHANCE):
        hold_chance(int(chance))
    if order := os.environ.get(LISTING):
        hold_listing(is_reversed=order == "reversed")
    if NO_NETWORK in os.environ:
        sys.addaudithook(_refuse)


def _sleep(seconds: Any, /) -> None:
    select.select([], [], [], seconds)


def hold_clock(seconds: int, *, is_measured: bool) -> None:
    """Have the clock stand at a time, and measured durations be none unless they are measured.

    `time.monotonic` goes on, as programs wait by it.
    """
    time.time = lambda: float(seconds)
    time.time_ns = lambda: seconds * 10**9
    for name in () if is_measured else ("perf_counter", "process_time", "thread_time"):
        if hasattr(time, name):
            setattr(time, name, lambda: float(seconds))
            setattr(time, f"{name}_ns", lambda: seconds * 10**9)
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, functools.partial(_at, getattr(time, name), seconds))
    strftime, asctime = time.strftime, time.asctime
    time.strftime = lambda form, moment=None: strftime(form, moment or time.localtime())
    time.asctime = lambda moment=None: asctime(moment or time.localtime())
    # `today` takes the time from `time.time`.
    _set(datetime.datetime, "now", lambda cls, tz=None: cls.fromtimestamp(seconds, tz))
    _set(datetime.datetime, "utcnow", lambda cls: cls.utcfromtimestamp(seconds))


def _at(function: Any, now: int, seconds: float | None = None) -> Any:
    return function(now if seconds is None else seconds)


def _set(kind: type, name: str, function: Any) -> None:
    """Set a class method of a type in C; a type in its place would be another type to libraries."""
    gc.get_referents(kind.__dict__)[0][name] = classmethod(function)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def hold_chance(number: int) -> None:
    """Have the system's random bytes, and generators without a seed, follow from a number."""
    count = itertools.count()

    def urandom(size: int) -> bytes:
        return hashlib.shake_128(f"{number} {next(count)}".encode()).digest(size)

    os.urandom = urandom
    random._urandom = urandom  # type: ignore[attr-defined]
    seed_it = random.Random.seed

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        seed_it(self, int.from_bytes(urandom(16), "big") if a is None else a, version)

    random.Random.seed = seed  # type: ignore[method-assign]
    random.seed = random._inst.seed
    random.seed()


def hold_listing(*, is_reversed: bool) -> None:
    """Have the names in folders come in their order, or in the reverse."""
    listdir, scandir = os.listdir, os.scandir

    @functools.wraps(listdir)
    def listed(path: Any = ".") -> list[Any]:
        return sorted(listdir(path), reverse=is_reversed)

    @functools.wraps(scandir)
    def scanned(path: Any = ".") -> "_Entries":
        with scandir(path) as entries:
            return _Entries(sorted(entries, key=lambda entry: entry.name, reverse=is_reversed))

    os.listdir, os.scandir = listed, scanned  # type: ignore[assignment]
    for kind in filter(lambda value: isinstance(value, type), vars(glob).values()):
        if vars(kind).get("scandir"):  # Python 3.13 and later keep it there
            kind.scandir = staticmethod(scanned)


class _Entries:
    """What `os.scandir` returns."""

    def __init__(self, entries: list[Any]) -> None:
        self._entries = iter(entries)

    def __iter__(self) -> "_Entries":
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> "_Entries":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """There is nothing to close."""


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse a connection to another machine, or to a name of one."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        raise OSError(101, "Network is unreachable")
    if event == "socket.getaddrinfo":
        raise OSError(101, "Network is unreachable")


hold()
