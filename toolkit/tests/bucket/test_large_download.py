"""A large object is hashed while its ranges arrive: in any order, and where one breaks off."""

import hashlib
import os
import re
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from dvc_bucket import Project, Settings, download, upload
from dvc_bucket.base.errors import ChecksumError
from dvc_bucket.connection.weather import WRONG_TRIES
from dvc_bucket.transfer import download as module
from tests.stores.fault_proxy import FaultProxy
from tests.stores.faults import Faults
from tests.stores.plain_front import PIECE, Exchange, PlainFront

KEY = "large/object"

#: Bytes of the first request, of the longest range, and of the object.
FIRST, RANGE, SIZE = 4 * PIECE, 4 * PIECE, 32 * PIECE - 1000

SECONDS = 20


@pytest.fixture(scope="module")
def body() -> bytes:
    return os.urandom(SIZE)


@pytest.fixture(scope="module")
def settings(store: Project, body: bytes, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    path = tmp_path_factory.mktemp("large") / "object"
    path.write_bytes(body)
    found = Settings.load(store)
    upload(path, KEY, settings=found)
    return found


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE_BYTES", FIRST)
    monkeypatch.setattr(module, "RANGE_BYTES", RANGE)


@pytest.fixture
def ranges(small_ranges: None) -> dict[int, int]:  # noqa: ARG001
    """The size of each range that is requested, by its start."""
    return {start: end - start for start, end in module.ranges_beyond(SIZE)}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "copy").write_bytes(b"old")
    return tmp_path / "copy"


def fetch(settings: Settings, url: str, body: bytes, target: Path) -> None:
    """Download through a front; the content is what was asked for, and nothing is beside it."""
    sha256 = hashlib.sha256(body).hexdigest()
    through = settings.model_copy(update={"endpoint_url": url})
    try:
        download(KEY, target, sha256=sha256, settings=through)
    finally:
        assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert hashlib.sha256(target.read_bytes()).hexdigest() == sha256


def start_of(exchange: Exchange) -> int:
    found = re.match(r"bytes=(\d+)-", exchange.headers.get("range", "bytes=0-"))
    assert found
    return int(found[1])


def test_ranges_that_arrive_in_another_order_are_hashed_in_theirs(
    settings: Settings, body: bytes, target: Path, ranges: dict[int, int]
) -> None:
    arrived: list[int] = []
    is_there = {start: threading.Event() for start in ranges}
    waits_for = dict(zip(list(ranges)[::2], list(ranges)[1::2], strict=False))

    def wait_for_the_next(exchange: Exchange, piece: bytes) -> bytes:
        start = start_of(exchange)
        if start in waits_for:
            assert is_there[waits_for[start]].wait(SECONDS)
        if start in ranges and exchange.received == ranges[start]:
            arrived.append(start)
            is_there[start].set()
        return piece

    with PlainFront(settings.port, change_body=wait_for_the_next) as front:
        fetch(settings, front.url, body, target)
    assert sorted(arrived) == list(ranges)
    assert arrived != sorted(arrived)


def test_a_range_that_breaks_off_is_fetched_again_and_hashed_once(
    settings: Settings, body: bytes, target: Path, ranges: dict[int, int]
) -> None:
    broken = list(ranges)[4]
    breaks = iter([True, True])

    def break_off(exchange: Exchange, piece: bytes) -> bytes:
        is_second = exchange.received > PIECE
        if start_of(exchange) == broken and is_second and next(breaks, False):
            raise ConnectionAbortedError
        return piece

    with PlainFront(settings.port, change_body=break_off) as front:
        fetch(settings, front.url, body, target)
    starts = [start_of(exchange) for exchange in front.exchanges if exchange.method == "GET"]
    assert starts.count(broken) == 3
    assert len(starts) == len(set(starts)) + 2


@pytest.mark.parametrize("number", [0, 5], ids=["first", "range"])
@pytest.mark.parametrize("times", [1, 1000], ids=["once", "always"])
def test_a_damaged_range_is_found_whatever_its_place(
    settings: Settings, body: bytes, target: Path, ranges: dict[int, int], number: int, times: int
) -> None:
    start = [0, *ranges][number]
    damages = iter(range(times))

    def damage(exchange: Exchange, piece: bytes) -> bytes:
        if start_of(exchange) == start and next(damages, None) is not None:
            return piece[:-1] + bytes([piece[-1] ^ 1])
        return piece

    with PlainFront(settings.port, change_body=damage) as front:
        if times == 1:
            fetch(settings, front.url, body, target)
        else:
            with pytest.raises(ChecksumError, match=KEY):
                fetch(settings, front.url, body, target)
            assert target.read_bytes() == b"old"
    asked = sum(
        exchange.method == "GET" and start_of(exchange) == start for exchange in front.exchanges
    )
    assert asked == (2 if times == 1 else WRONG_TRIES)


def test_two_ranges_that_changed_places_are_found(
    settings: Settings, body: bytes, target: Path, ranges: dict[int, int]
) -> None:
    """A cache that answers one range with another: the right bytes in the wrong order."""
    first, second = [start for start, size in ranges.items() if size == RANGE][:2]
    answers = {first: body[second:][:RANGE], second: body[first:][:RANGE]}

    def exchange_two(exchange: Exchange, piece: bytes) -> bytes:
        wrong, end = answers.get(start_of(exchange)), exchange.received
        return wrong[end - len(piece) : end] if wrong else piece

    with (
        PlainFront(settings.port, change_body=exchange_two) as front,
        pytest.raises(ChecksumError, match=KEY),
    ):
        fetch(settings, front.url, body, target)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("kind", ["whole", "cut", "reset"])
def test_a_store_that_ignores_ranges_or_breaks_off_serves_it_all_the_same(
    settings: Settings, body: bytes, target: Path, kind: str
) -> None:
    faults = Faults(cast(Any, kind), every=1 if kind == "whole" else 3, methods="GET")
    with FaultProxy(settings.port, faults) as proxy:
        fetch(settings, proxy.url, body, target)


def test_the_streams_do_not_end_their_ranges_together(ranges: dict[int, int]) -> None:
    lengths = list(ranges.values())
    assert sum(lengths) == SIZE - FIRST
    assert lengths[: module.STREAMS] == [PIECE, 2 * PIECE, 3 * PIECE, RANGE]
    assert set(lengths[module.STREAMS : -1]) == {RANGE}
