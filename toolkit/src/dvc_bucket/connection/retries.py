"""The one policy of what is asked of a store again: what, when, for how long, and who hears of it.

A request that fails in a way that heals is tried again for `OS_RETRY_SECONDS`, counted from its
first failure. Before each try it waits: a random time up to a bound that doubles (full jitter), as
long as the store asks for with `Retry-After`, and no longer than until the store answers another
request after an outage.

While requests fail, the number of those under way follows the answers: half of it where the store
is overloaded, at most once a second, and one more for each round of answers (AIMD). A network that
loses connections is no overload.

    for attempt in retries.attempts():
        with attempt:
            answer = ask_the_store()

obstore could retry by itself, but it tells neither how often nor why, cannot be interrupted, and
waits as long for a host that does not exist. Only inside of listings it does: `clients.patient`.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from dvc_bucket.base.terminal import say
from dvc_bucket.base.tried_again import tried_again
from dvc_bucket.connection import log, weather
from dvc_bucket.connection.concurrency import REQUESTS, requests_for

if TYPE_CHECKING:
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.connection.weather import Fault

Answer = TypeVar("Answer")

#: The bound of the first wait, and of all: seconds.
FIRST_WAIT = 0.1
LONGEST_WAIT = 8.0

#: In trouble the number of requests under way is halved no sooner than after so long; and
#: after so long without trouble it is nobody's business.
WINDOW_SECONDS = 1.0
CALM_SECONDS = 10.0

#: A store that answered nothing for so long is out. From then on a person hears of it, and it is
#: asked how long it wants to be left alone, no sooner again than after the last of these.
OUTAGE_SECONDS = 2.0
ASK_SECONDS = 5.0

#: After an outage all that wait go on within so long.
RETURN_SECONDS = 0.5

_policies: dict[tuple[str, int], "Retries"] = {}
_lock = threading.RLock()


def _forget() -> None:
    """The child of a fork has policies and a lock of its own: a thread can hold those of before."""
    global _lock
    _lock = threading.RLock()
    _policies.clear()


os.register_at_fork(after_in_child=_forget)


class Retries:
    """The state of one store as this process sees it.

    Attributes:
        answer_seconds: the shortest time in which it did what was asked; 0 before.
    """

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self._slot, self._news = threading.Condition(_lock), threading.Condition(_lock)
        self._is_troubled = False
        self._running, self._limit = 0, float(REQUESTS)
        self._halved_at = self._failed_at = self._asked_at = self._returned_at = 0.0
        self._left_alone_until = 0.0
        self._out_since: float | None = None
        self._is_said = False
        self.has_answered = False
        self.answer_seconds = 0.0
        self.stops = 0

    @classmethod
    def of(cls, settings: "Settings") -> "Retries":
        """That of the store of the settings, the same for all clients of a process."""
        key = (settings.endpoint_url, settings.retry_seconds)
        if not (policy := _policies.get(key)):  # threads of a transfer would queue for the lock
            with _lock:
                policy = _policies.setdefault(key, cls(settings))
        return policy

    @property
    def seconds(self) -> float:
        """For which a request is tried again after its first failure."""
        return float(self._settings.retry_seconds)

    def call(self, request: Callable[..., Answer], *arguments: Any, **named: Any) -> Answer:
        """The answer to a request, which is a function and its arguments."""
        key = next((each for each in arguments if isinstance(each, str)), "")
        for attempt in self.attempts(getattr(request, "__name__", "").strip("_"), key):
            with attempt:
                answer = request(*arguments, **named)
        return answer

    def fault(self, error: BaseException) -> "Fault | None":
        """What heals, perhaps; None for what does not."""
        return weather.fault(error, self._settings, has_answered=self.has_answered)

    def attempts(self, method: str = "", key: str = "", *, is_inner: bool = False) -> "Attempts":
        """The attempts at one request, each a context.

        Args:
            method: of the request, for the log; empty for none.
            key: of the object.
            is_inner: the request is made while an attempt of another thread waits for it.
        """
        return Attempts(self, method, key, is_inner=is_inner)

    def enter(self) -> bool:
        """Wait until a request may begin; whether it counts."""
        if not self._is_troubled:
            return False
        with _lock:
            stops = self.stops
            while self.stops == stops:
                left = self._left_alone_until - time.monotonic()
                if left <= 0 and self._running < self._limit:
                    break
                self._slot.wait(left if left > 0 else None)
            self._running += 1
        return True

    def leave(self) -> None:
        """A request that counts has ended."""
        with _lock:
            self._running -= 1
            self._slot.notify()

    def answered(self) -> None:
        """The store answers."""
        self.has_answered = True
        if not self._is_troubled:
            return
        with _lock:
            now = time.monotonic()
            if self._out_since is not None and now - self._out_since > WINDOW_SECONDS:
                self._returned_at = now
                self._news.notify_all()
            self._out_since, self._is_said = None, False
            self._limit += 1 / self._limit
            self._slot.notify()
            if now - self._failed_at > CALM_SECONDS:
                self._is_troubled = False
                self._slot.notify_all()

    def failed(self, fault: "Fault", seconds_left: float) -> None:
        """A request failed and is to be tried again."""
        with _lock:
            now = time.monotonic()
            tried_again[fault.reason] += 1
            if not self._is_troubled:
                self._is_troubled, self._limit = True, float(requests_for(self.answer_seconds))
            self._failed_at = now
            if self._out_since is None:
                self._out_since = now
            if fault.is_overload and now - self._halved_at >= WINDOW_SECONDS:
                self._limit, self._halved_at = max(1.0, self._limit / 2), now
            out = now - self._out_since
            is_first = out >= OUTAGE_SECONDS and not self._is_said
            self._is_said |= is_first
            asks = fault.is_throttle and out >= WINDOW_SECONDS
            asks = asks and now - self._asked_at >= ASK_SECONDS
            if asks:
                self._asked_at = now
        if is_first:
            self._say(fault, out)
        if asks and (wanted := min(weather.wanted_rest(self._settings), seconds_left)) > 0:
            self._left_alone_until = time.monotonic() + wanted

    def is_well(self) -> bool:
        """Whether the store answers other requests than one that fails again and again."""
        with _lock:
            out = 0.0 if self._out_since is None else time.monotonic() - self._out_since
        return out < WINDOW_SECONDS or weather.is_well(self._settings)

    def wait(self, seconds: float, until: float) -> None:
        """Wait so long, or as long as the store asks for, or until it has come back."""
        with _lock:
            began, stops = time.monotonic(), self.stops
            end = min(until, max(began + seconds, self._left_alone_until))
            while self.stops == stops and (left := end - time.monotonic()) > 0:
                returned = self._returned_at
                self._news.wait(left)
                if self._returned_at > returned:
                    soon = time.monotonic() + random.uniform(0, RETURN_SECONDS)  # noqa: S311
                    end = min(end, soon)

    def stop(self) -> None:
        """Have all that wait give up."""
        with _lock:
            self.stops += 1
            self._news.notify_all()
            self._slot.notify_all()

    def _say(self, fault: "Fault", seconds: float) -> None:
        """Tell a person at a terminal once in an outage."""
        if not sys.stderr.isatty():
            return
        since = datetime.fromtimestamp(time.time() - seconds).astimezone()
        where, tried = self._settings.where, self._settings.retry_seconds
        say(
            f"waiting for {where} since {since:%H:%M:%S}: {fault.reason}. Each request is retried "
            f"for {tried} s. Ctrl-C stops."
        )


class Attempts:
    """The attempts at one request: yields itself, a context, until one succeeds."""

    def __init__(self, retries: Retries, method: str, key: str, *, is_inner: bool) -> None:
        self._method, self._key, self._began = method, key, 0.0
        self._retries, self._is_inner = retries, is_inner
        self._is_done = self._counts = False
        self._count = 0
        self._end = 0.0
        self._stops = retries.stops

    def __iter__(self) -> Iterator[Self]:
        while not self._is_done:
            if self._count:
                bound = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (self._count - 1))
                self._retries.wait(random.uniform(0, bound), self._end)  # noqa: S311
            yield self

    def __enter__(self) -> None:
        self._counts = not self._is_inner and self._retries.enter()
        self._began = time.monotonic()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if self._counts:
            self._retries.leave()
        seconds = time.monotonic() - self._began
        if self._method:
            said = "done" if error is None else weather.word_of(error)
            log.request_done(self._method, self._key, said, seconds, self._count + 1)
        if error is None or isinstance(error, GeneratorExit):
            self._is_done = True
            self._retries.answer_seconds = min(self._retries.answer_seconds or seconds, seconds)
            self._retries.answered()
            return False
        return self._is_again(error)

    def _is_again(self, error: BaseException) -> bool:
        """Whether there is to be another attempt after this failure."""
        retries = self._retries
        if (fault := retries.fault(error)) is None:
            if weather.is_answer(error):
                retries.answered()
            return False
        self._count += 1
        now = time.monotonic()
        if self._count == 1:
            self._end = now + fault.seconds
        self._end = min(self._end, now + fault.seconds)
        is_over = now >= self._end or self._count >= fault.tries or retries.stops != self._stops
        is_of_one = self._count == weather.SAME_TRIES and not fault.is_throttle
        is_of_one = is_of_one and fault.seconds > weather.SHORT_SECONDS
        if is_over or (is_of_one and retries.is_well()):
            weather.make_final(error)
            return False
        retries.failed(fault, self._end - now)
        return True


@contextmanager
def interruptible() -> Iterator[None]:
    """Where this block ends by an exception, all requests that wait to be tried again give up.

    A block that waits for threads is left at once by Ctrl-C.
    """
    try:
        yield
    except BaseException:  # Ctrl-C too: nobody waits on
        for policy in list(_policies.values()):
            policy.stop()
        raise
