"""While a store says that it is asked too much, fewer requests are under way; then more again."""

import threading
from contextlib import suppress

import pytest

from dvc_bucket import Settings
from dvc_bucket.connection import retries
from dvc_bucket.connection.concurrency import REQUESTS
from dvc_bucket.connection.retries import Retries
from dvc_bucket.connection.weather import Fault

BUSY = Fault("503 Service Unavailable", 60.0, is_overload=True)
LOST = Fault("connection reset", 60.0)


class WaitedError(Exception):
    """A request has to wait."""


@pytest.fixture
def policy() -> Retries:
    """That of a store which nothing is asked of."""
    values = {"endpoint_url": "https://store.example", "bucket_name": "data", "anonymous": True}
    return Retries(Settings.model_validate(values))


def under_way(policy: Retries) -> int:
    """How many requests may be under way; 99 for any number."""
    counted = list[bool]()

    def wait(_: float | None) -> None:
        raise WaitedError

    with pytest.MonkeyPatch.context() as patch, suppress(WaitedError):
        patch.setattr(policy._slot, "wait", wait)
        while len(counted) < 99:
            counted.append(policy.enter())
    for _ in filter(None, counted):
        policy.leave()
    return len(counted)


def test_an_overload_halves_them_once_a_second_and_leaves_one(
    policy: Retries, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert under_way(policy) == 99
    for _ in range(5):  # all that were under way fail together
        policy.failed(BUSY, 60.0)
    assert under_way(policy) == REQUESTS // 2
    monkeypatch.setattr(retries, "WINDOW_SECONDS", 0.0)
    policy.failed(BUSY, 60.0)
    assert under_way(policy) == REQUESTS // 4
    for _ in range(9):
        policy.failed(BUSY, 60.0)
    assert under_way(policy) == 1
    policy.answered()
    assert under_way(policy) == 2


def test_a_connection_that_is_lost_is_no_overload(policy: Retries) -> None:
    for _ in range(5):
        policy.failed(LOST, 60.0)
    assert under_way(policy) == REQUESTS


def test_each_round_of_answers_is_one_more_and_calm_is_no_limit(
    policy: Retries, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.failed(BUSY, 60.0)
    for more in (1, 2, 3):
        for _ in range(REQUESTS // 2):
            policy.answered()
        assert under_way(policy) == REQUESTS // 2 + more
    monkeypatch.setattr(retries, "CALM_SECONDS", 0.0)
    policy.answered()
    assert under_way(policy) == 99


def test_a_request_that_waits_begins_when_another_ends(policy: Retries) -> None:
    for _ in range(REQUESTS):
        policy.failed(LOST, 60.0)
        assert policy.enter()
    waiting = threading.Thread(target=policy.enter, daemon=True)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    policy.leave()
    waiting.join(20)
    assert not waiting.is_alive()
