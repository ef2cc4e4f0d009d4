"""Signals that end a run in good order: what runs is told, and waited for."""

import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

#: What a first Ctrl-C sends to the commands, and each further one.
ESCALATION = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)

#: Signals that end a run in good order.
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def heard(tell: Callable[[int], None], signals: Collection[int] = ENDING) -> Iterator[None]:
    """Have signals that end the process call a function, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda got, _: tell(got)) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def escalated(number: int, before: int) -> int:
    """The signal for what runs.

    Args:
        number: the signal that this process got.
        before: how many it had got.
    """
    return number if number == signal.SIGHUP else ESCALATION[min(before, len(ESCALATION) - 1)]
