"""Reading all contents: what was read before is not read again."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from tests.stores.plain_front import Headers, PlainFront
from tests.stores.swift import Swift
from tests.verify.published import FILES, OBJECTS, Published, flip_on_disk, named

#: How many contents get through before the front holds the others back.
FREE = 4


class Gate:
    """Lets some answers through; the others wait until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self._left = threading.Semaphore(0)

    def __call__(self, headers: Headers) -> Headers:
        is_content = dict(headers).get("Content-Type") != "application/xml"
        if is_content and not self._left.acquire(blocking=False):
            self.opened.wait(60)
        return headers

    def allow(self, count: int) -> None:
        self._left.release(count)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def front(store: Project, on_seaweed: Published, gate: Gate) -> Iterator[PlainFront]:
    """Before the plain port of the store, which the project is told to use."""
    with PlainFront(Settings.load(store).port, gate) as running:
        point_at(running, on_seaweed)
        yield running
        gate.opened.set()


def point_at(front: PlainFront, published: Published) -> None:
    """Have the project reach its store without TLS, through the front."""
    env = published.root / ".env"
    text = env.read_text().replace(published.store.endpoint_url, front.url)
    env.write_text("".join(line for line in text.splitlines(True) if "OS_CACERT" not in line))


def contents(front: PlainFront) -> int:
    """How many objects were asked for."""
    asked = [one for one in front.exchanges if one.method == "GET"]
    return sum("list-type" not in one.path and "files/md5/" in one.path for one in asked)


def settled(front: PlainFront) -> int:
    """The same, once the last requests of a killed process are through."""
    before, now = -1, contents(front)
    while before != now:
        time.sleep(0.5)
        before, now = now, contents(front)
    return now


def test_a_killed_run_is_continued(front: PlainFront, gate: Gate, on_seaweed: Published) -> None:
    gate.allow(FREE)
    notes = on_seaweed.project.verified
    clone = on_seaweed.clone
    command = ["bucket", "verify", "--deep"]
    with subprocess.Popen(
        command, cwd=clone.root, env=clone.environment, stdout=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + 30
        while not (notes.exists() and notes.stat().st_size >= 16 * FREE):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    gate.opened.set()
    with notes.open("ab") as file:
        file.write(b"\1\2\3")  # a note that was cut off
    before = settled(front)
    report = on_seaweed.verify(deep=True)
    assert (report.ok, report.read) == (True, OBJECTS - FREE)
    assert contents(front) - before == OBJECTS - FREE
    assert on_seaweed.verify(deep=True).read == 0
    assert notes.stat().st_size == 16 * OBJECTS


def test_what_is_written_again_is_read_again(on_seaweed: Published) -> None:
    path = "images/03.bin"
    assert on_seaweed.verify(deep=True).ok
    on_seaweed.put_with_plausible_tag(on_seaweed.object(path), b"x" * len(FILES[path]))
    report = on_seaweed.verify(deep=True)
    assert (report.read, named(report.findings)) == (1, [("corrupt", path)])
    # What is corrupt is never taken for read.
    assert named(on_seaweed.verify(deep=True).findings) == [("corrupt", path)]


def test_what_a_repair_sent_is_read_again_and_counted(on_seaweed: Published) -> None:
    path = "images/03.bin"
    on_seaweed.put_with_plausible_tag(on_seaweed.object(path), b"x" * len(FILES[path]))
    report = on_seaweed.verify(deep=True, repair=True)
    assert (report.ok, named(report.mended)) == (True, [("corrupt", path)])
    assert report.read == OBJECTS + 1


def test_a_bit_that_flipped_on_the_disk_of_the_store(
    originals: dict[str, Published], swift: Swift, tmp_path: Path
) -> None:
    """No listing shows it. Swift gives the other bytes, then says that the object is gone."""
    published = originals["swift"].copy(tmp_path / "project")
    content = os.urandom(3000)
    path = published.track("one.bin", content)
    published.put(path, content)
    flip_on_disk(swift.home, content)
    assert published.verify().ok
    report = published.verify(deep=True)
    assert [one.path for one in report.findings] == ["one.bin"]
    assert report.findings[0].fault.kind in {"corrupt", "missing"}
    assert published.verify(deep=True, repair=True).ok
    assert published.get(path) == content


def test_an_object_that_the_store_does_not_give_is_named_and_the_others_are_read(
    store: Project, on_seaweed: Published
) -> None:
    with on_seaweed.project.env_file.open("a") as env:
        env.write("OS_RETRY_SECONDS=1\n")
    path = "images/05.bin"
    broken = md5(FILES[path]).hexdigest()

    def hang_up(headers: Headers) -> Headers:
        if any(broken in value for _, value in headers):
            raise ConnectionResetError
        return headers

    with PlainFront(Settings.load(store).port, hang_up) as front:
        point_at(front, on_seaweed)
        report = on_seaweed.verify(deep=True)
    assert (named(report.findings), report.read) == ([("not checked", path)], OBJECTS)
    assert "the store does not return it" in report.findings[0].fault.detail


def test_what_was_read_at_one_key_says_nothing_of_another(on_seaweed: Published) -> None:
    content = b"z" * 1000
    right, wrong = on_seaweed.track("z.bin", content), on_seaweed.track("y.bin", b"y" * 1000)
    # Written in the same second, with the same ETag.
    on_seaweed.put(right, content)
    on_seaweed.put(wrong, content)
    for _ in range(2):
        assert named(on_seaweed.verify(deep=True).findings) == [("corrupt", "y.bin")]


def test_another_remote_is_read_by_itself(on_seaweed: Published) -> None:
    assert on_seaweed.verify(deep=True).read == OBJECTS
    other = on_seaweed.copy(on_seaweed.root.parent / "other")
    assert other.verify(deep=True).read == OBJECTS
