"""Many small pieces of work in plain threads: no future, no lock and no callback for each."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from dvc_bucket.transfer.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

Item = TypeVar("Item")

#: Threads to begin with, where nobody says how many. Of 4 to 64 these were the fastest with a store
#: on the same machine: each does little, but the store has something to do all the time.
MIN_THREADS = 32

#: The most, for a store far away.
MAX_THREADS = 64

#: What one object costs the interpreter. A store that takes n times that to answer keeps n threads
#: busy.
OBJECT_SECONDS = 0.0005

#: Objects after which the time that the store takes is known well enough.
ENOUGH_SEEN = 16

#: Between two looks at how far the threads are: progress is shown that often.
TICK_SECONDS = 0.05

#: So long an interrupted transfer waits for its threads: then it ends without them.
END_SECONDS = 3.0

#: A store that refuses this many objects, and gives none between, refuses them all.
HOPELESS = 8

#: Bytes of large bodies that all threads together hold.
BUDGET_BYTES = 96 * 1024 * 1024


class Budget:
    """So many bytes at a time; who wants more waits until others have given theirs back."""

    def __init__(self, size: int = BUDGET_BYTES) -> None:
        self._size = self._left = size
        self._changed = threading.Condition()

    @contextmanager
    def of(self, size: int) -> "Iterator[None]":
        """Hold `size` bytes for a block."""
        size = min(size, self._size)
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
        """Let others have `size` bytes."""
        with self._changed:
            self._left += size
            self._changed.notify_all()


class Pool(Generic[Item]):
    """Works on items in threads, as many as the time that the store takes makes worth while.

    Args:
        work: does one item; what it raises is that item's failure.
        threads: exactly so many; None for as many as are worth while.
        answer_seconds: tells the shortest time that the store took to answer so far.
    """

    def __init__(
        self,
        work: Callable[[Item], None],
        threads: int | None,
        answer_seconds: Callable[[], float],
    ) -> None:
        self._work = work
        self._fixed = threads
        self._answer_seconds = answer_seconds
        self._todo: deque[Item] = deque()
        self._failures: deque[tuple[Item, BaseException]] = deque()
        self._done: list[list[int]] = []
        # Not the threads themselves: Ctrl-C in a `join` has Python 3.11 take one for ended that is
        # not (its issue 90882).
        self._ended: list[threading.Event] = []
        self._refused = 0
        self._stop = threading.Event()

    def run(
        self,
        items: Sequence[Item],
        progress: Callable[[int], None],
        failed: Callable[[Item, BaseException], None],
    ) -> None:
        """Do all items; tell, in this thread and now and then, how far it is.

        `progress` hears how many more are done, `failed` what could not be.

        What `failed` raises ends the whole, as does a store that serves nobody, and Ctrl-C.
        """
        self._todo.extend(items)
        shown = 0
        try:
            self._start(min(self._fixed or MIN_THREADS, len(items)))
            while self._is_busy():
                shown = self._report(shown, progress, failed)
                self._grow(shown)
            self._report(shown, progress, failed)
        finally:
            self._end()

    def _start(self, count: int) -> None:
        for _ in range(count):
            done, ended = [0], threading.Event()
            self._done.append(done)
            self._ended.append(ended)
            threading.Thread(target=self._live, args=(done, ended), daemon=True).start()

    def _live(self, done: list[int], ended: threading.Event) -> None:
        """One thread's life."""
        try:
            self._loop(done)
        finally:
            ended.set()

    def _loop(self, done: list[int]) -> None:
        while not self._stop.is_set():
            try:
                item = self._todo.popleft()
            except IndexError:
                return
            try:
                self._work(item)
            except BaseException as error:  # told by the thread that waits
                self._failures.append((item, error))
            else:
                done[0] += 1
                self._refused = 0

    def _is_busy(self) -> bool:
        """Whether a thread still works, after waiting a moment for it."""
        until = time.monotonic() + TICK_SECONDS
        return not all(ended.wait(max(0.0, until - time.monotonic())) for ended in self._ended)

    def _grow(self, done: int) -> None:
        """Start the threads that a slow store needs."""
        if self._fixed or done < ENOUGH_SEEN:
            return
        wanted = int(min(MAX_THREADS, self._answer_seconds() / OBJECT_SECONDS, len(self._todo)))
        self._start(max(0, wanted - len(self._ended)))

    def _report(
        self,
        shown: int,
        progress: Callable[[int], None],
        failed: Callable[[Item, BaseException], None],
    ) -> int:
        done = sum(count[0] for count in self._done)
        progress(done - shown)
        while self._failures:
            item, error = self._failures.popleft()
            if not isinstance(error, Exception):
                raise error
            if isinstance(error, StoreError):
                self._refused += 1
                if self._refused >= HOPELESS:
                    raise error
            failed(item, error)
        return done

    def _end(self) -> None:
        """Have the threads end, and wait for that, but not for ever."""
        self._stop.set()
        until = time.monotonic() + END_SECONDS
        for ended in self._ended:
            ended.wait(max(0.0, until - time.monotonic()))
