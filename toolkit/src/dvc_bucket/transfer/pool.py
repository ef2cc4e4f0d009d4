"""Runs a function on many items in threads: the transfer of many small objects.

`Pool.run` starts threads, each of which takes one item after the other: the more, the longer the
store took to answer before. The thread that called it wakes up every `TICK_SECONDS`: it reports
progress and failures, and starts more threads if the store takes so long that more are faster. No
item has a future, a lock or a callback of its own: these would take a large part of the 0.5 ms that
an object takes.

`Budget` limits the memory that all of them together use.
"""

import resource
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from dvc_bucket.base.errors import DiskError
from dvc_bucket.connection.concurrency import MAX_REQUESTS, REQUESTS, requests_for
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.transfer.errors import StoreError

Item = TypeVar("Item")

#: Each thread has a connection and a file open; so many files are left to others of those that the
#: process may have open.
FILES_LEFT = 64

#: An answer for which a connection is made takes so many times as long as the next on it: the
#: handshakes of TCP and TLS are a round trip each.
CONNECTING = 3

#: Objects after which the time of an answer is known well enough.
ENOUGH_SEEN = 16

#: Time between two reports of progress.
TICK_SECONDS = 0.05

#: The longest time that an interrupted transfer waits for its threads.
END_SECONDS = 3.0

#: Objects that a store refuses in sequence before the transfer ends.
HOPELESS = 8

#: Bytes of large bodies that all threads together hold. Bodies up to the second size are not
#: counted: all threads together hold little of them.
BUDGET_BYTES = 96 * 1024 * 1024
UNCOUNTED_BYTES = 128 * 1024


class Pool(Generic[Item]):
    """Threads that process items.

    Args:
        work: processes one item; an exception is the failure of this item alone.
        threads: their number; None for one that depends on how fast the store answers.
        answer_seconds: the shortest time in which the store answered so far.
        seconds_before: that time in earlier work, for which connections were made; 0 where it is
            not known.
    """

    def __init__(
        self,
        work: Callable[[Item], None],
        threads: int | None,
        answer_seconds: Callable[[], float],
        seconds_before: float = 0.0,
    ) -> None:
        self._work = work
        self._fixed = threads
        self._answer_seconds, self._seconds_before = answer_seconds, seconds_before
        self._todo: deque[Item] = deque()
        self._failures: deque[tuple[Item, BaseException]] = deque()
        self._done: list[list[int]] = []  # one counter a thread
        # Not the threads themselves: after Ctrl-C in a `join`, Python 3.11 takes a running thread
        # for ended (its issue 90882).
        self._ended: list[threading.Event] = []
        self._refused = 0
        self._stop = threading.Event()

    def run(
        self,
        items: Sequence[Item],
        progress: Callable[[int], None],
        failed: Callable[[Item, BaseException], None],
    ) -> None:
        """Process all items. An exception of `failed` ends the run, as does Ctrl-C.

        Args:
            items: to process.
            progress: called in this thread with the number of items done since the last call.
            failed: called in this thread with each item that failed.

        Raises:
            StoreError: the store refused several objects and served none between them.
            DiskError: the disk takes or gives no more data.
        """
        self._todo.extend(items)
        try:
            with interruptible():
                self._run(len(items), progress, failed)
        finally:
            self._stop.set()
            self._wait(END_SECONDS)

    def _run(
        self,
        count: int,
        progress: Callable[[int], None],
        failed: Callable[[Item, BaseException], None],
    ) -> None:
        shown = 0
        self._start(min(self._fixed or _threads_for(self._seconds_before / CONNECTING), count))
        while not self._wait(TICK_SECONDS):
            shown = self._report(shown, progress, failed)
            if not self._fixed and shown >= ENOUGH_SEEN:
                wanted = _threads_for(self._answer_seconds())
                self._start(min(wanted, len(self._todo)) - len(self._ended))
        self._report(shown, progress, failed)

    def _start(self, count: int) -> None:
        for _ in range(count):
            done, ended = [0], threading.Event()
            thread = threading.Thread(target=self._live, args=(done, ended), daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system allows no more: those that there are do the work
                if not self._ended:
                    raise
                return
            self._done.append(done)
            self._ended.append(ended)

    def _live(self, done: list[int], ended: threading.Event) -> None:
        """Process items until there are no more, in a thread."""
        try:
            while self._todo and not self._stop.is_set():
                item = self._todo.popleft()
                try:
                    self._work(item)
                except BaseException as error:  # of a thread: the caller hears of it
                    self._refused += isinstance(error, StoreError)
                    self._failures.append((item, error))
                else:
                    done[0] += 1
                    self._refused = 0
        except IndexError:  # another thread took the last item
            pass
        finally:
            ended.set()

    def _wait(self, seconds: float) -> bool:
        """Wait for the threads to end; whether all did."""
        until = time.monotonic() + seconds
        return all(ended.wait(max(0.0, until - time.monotonic())) for ended in self._ended)

    def _report(
        self,
        shown: int,
        progress: Callable[[int], None],
        failed: Callable[[Item, BaseException], None],
    ) -> int:
        """Report what is done and what failed; returns how many are done."""
        done = sum(count[0] for count in self._done)
        progress(done - shown)
        while self._failures:
            item, error = self._failures.popleft()
            if isinstance(error, DiskError) or not isinstance(error, Exception):
                raise error
            if isinstance(error, StoreError) and self._refused >= HOPELESS:
                raise error
            failed(item, error)
        return done


def _threads_for(seconds: float) -> int:
    """The number of threads for a store that takes so long to answer."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    most = MAX_REQUESTS if files == resource.RLIM_INFINITY else (files - FILES_LEFT) // 2
    return max(REQUESTS, min(most, requests_for(seconds)))


class Budget:
    """A number of bytes that threads share: one that takes more than are left waits for others."""

    def __init__(self) -> None:
        self._left = BUDGET_BYTES
        self._changed = threading.Condition()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Take `size` bytes for a block, or all that there are if `size` is larger."""
        size = min(size, BUDGET_BYTES)
        self.take(size)
        try:
            yield
        finally:
            self.give_back(size)

    def take(self, size: int, *, wait: bool = True) -> bool:
        """Take `size` bytes; False if there are not so many left, and `wait` is not set."""
        with self._changed:
            is_left = self._changed.wait_for(lambda: self._left >= size, None if wait else 0)
            self._left -= size * is_left
        return is_left

    def give_back(self, size: int) -> None:
        """Give `size` bytes back."""
        with self._changed:
            self._left += size
            self._changed.notify_all()
