"""Killed while data moves: run it again, and all is there. The soak also kills the store."""

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from dvc_bucket import Project
from dvc_bucket.transfer.pool import Pool
from tests.patched.killing import BEGUN, FILES, Victim, round_of_push


@pytest.fixture
def victim(new_project: Callable[[], Project]) -> Victim:
    return Victim(new_project(), seed=1)


def test_killed_while_data_is_sent(victim: Victim) -> None:
    round_of_push(victim, "client")
    assert victim.leftovers() == []


def test_interrupted_by_the_person_at_the_keyboard_while_it_is_fetched(victim: Victim) -> None:
    victim.new_data()
    victim.dvc("push")
    victim.forget()
    status, seconds = victim.stopped("pull")
    assert status == 252  # DVC's own for it
    assert seconds < 8
    assert victim.leftovers() == []
    assert BEGUN <= victim.cached() < FILES + 1
    victim.dvc("pull")
    victim.check()


def test_an_interrupted_transfer_ends_after_what_is_under_way() -> None:
    """So that nobody writes any more when what is left of it is cleared away."""
    begun = threading.Event()
    ended: list[int] = []

    def work(number: int) -> None:
        begun.set()
        time.sleep(0.3)
        ended.append(number)

    def press() -> None:
        begun.wait()
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt):
        Pool(work, 1, lambda: 0.0).run(range(100), lambda _: None, lambda *_: None)
    assert ended == [0]
