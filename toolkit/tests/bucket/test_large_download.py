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

#: Bytes of the first request, of a range, which is two pieces, and of the object: it has seven
#: ranges, the last one short.
FIRST, RANGE, SIZE = 2 * PIECE, 2 * PIECE, 16 * PIECE - 1000

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
    settings: Settings, body: bytes, target: Path
) -> None:
    arrived: list[int] = []
    later = {start: threading.Event() for start in range(FIRST, SIZE, RANGE)}

    def wait_for_the_next(exchange: Exchange, piece: bytes) -> bytes:
        start = start_of(exchange)
        is_first_of_pair = start > 0 and start % (2 * RANGE) == 0
        if is_first_of_pair and start + RANGE in later:
            assert later[start + RANGE].wait(SECONDS)
        if start in later and exchange.received >= min(RANGE, SIZE - start):
            arrived.append(start)
            later[start].set()
        return piece

    with PlainFront(settings.port, change_body=wait_for_the_next) as front:
        fetch(settings, front.url, body, target)
    assert sorted(arrived) == list(later)
    assert arrived != sorted(arrived)


def test_a_range_that_breaks_off_is_fetched_again_and_hashed_once(
    settings: Settings, body: bytes, target: Path
) -> None:
    broken = FIRST + 2 * RANGE
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


@pytest.mark.parametrize("start", [0, FIRST + 3 * RANGE], ids=["first", "range"])
@pytest.mark.parametrize("times", [1, 1000], ids=["once", "always"])
def test_a_damaged_range_is_found_whatever_its_place(
    settings: Settings, body: bytes, target: Path, start: int, times: int
) -> None:
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
    settings: Settings, body: bytes, target: Path
) -> None:
    """A cache that answers one range with another: the right bytes in the wrong order."""
    one, other = body[FIRST:][:RANGE], body[FIRST + RANGE :][:RANGE]
    answers = {FIRST: other, FIRST + RANGE: one}

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
