"""A store far away: few requests one after the other, and many at once."""

import resource
import shutil
import threading
import time
from collections.abc import Iterator

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.connection.concurrency import REQUESTS
from dvc_bucket.transfer import pool
from dvc_bucket.transfer.errors import StoreRefusedError
from dvc_bucket.transfer.pool import Pool
from tests.bucket.store_tools import BUCKET
from tests.stores.access import StoreAccess
from tests.stores.fault_proxy import FaultProxy
from tests.stores.fixtures import access
from tests.verify.published import FILES, OBJECTS, Published, empty, publish


@pytest.fixture(scope="module")
def here(request: pytest.FixtureRequest) -> StoreAccess:
    return access(request, "seaweed")


@pytest.fixture(scope="module")
def far(
    here: StoreAccess, store: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Published, FaultProxy]]:
    """A project whose store is behind a proxy that counts."""
    project = empty(tmp_path_factory.mktemp("far") / "project", here)
    publish(project)
    with FaultProxy(Settings.load(store).port) as proxy:
        env = project.project.env_file
        env.write_text(env.read_text().replace(here.endpoint_url, proxy.url))
        yield project, proxy


def asked(proxy: FaultProxy) -> list[str]:
    """The requests in the order in which they came: their methods, and `LIST` for a listing."""
    ordered = sorted(proxy.exchanges, key=lambda exchange: exchange.at)
    proxy.exchanges.clear()
    return ["LIST" if "list-type" in each.key else each.method for each in ordered]


def test_a_push_asks_for_the_list_and_the_page_and_sends(
    far: tuple[Published, FaultProxy],
) -> None:
    project, proxy = far
    for key in project.keys:
        project.delete(key)
    proxy.exchanges.clear()
    project.clone.run(BUCKET, "push")
    first, second, *rest = asked(proxy)
    assert {first, second} == {"HEAD", "LIST"}
    assert rest == ["PUT"] * OBJECTS


def test_a_pull_reads_the_list_once_asks_for_the_file_and_fetches(
    far: tuple[Published, FaultProxy],
) -> None:
    project, proxy = far
    shutil.rmtree(project.root / ".dvc" / "cache")
    for path in FILES:
        (project.root / path).unlink()
    project.clone.run(BUCKET, "pull")
    assert asked(proxy) == ["GET", "HEAD"] + ["GET"] * (OBJECTS - 1)
    assert {path: (project.root / path).read_bytes() for path in FILES} == FILES


def at_once(count: int, seconds: float, before: float) -> int:
    """The most items under way at the same time, each of which takes so long."""
    under_way, most, lock = 0, 0, threading.Lock()

    def work(_: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(seconds)
        with lock:
            under_way -= 1

    done: list[int] = []
    Pool[int](work, None, lambda: 0.0, before).run(range(count), done.append, fail)
    assert sum(done) == count
    return most


def fail(_: int, error: BaseException) -> None:
    raise error


def test_a_store_known_to_be_far_is_asked_for_much_at_once() -> None:
    assert at_once(100, 0.3, before=0.3) == 100
    assert at_once(100, 0.3, before=0.001) == REQUESTS


def test_what_is_refused_among_what_is_served_does_not_end_the_rest() -> None:
    served, refused = list[int](), list[int]()

    def work(number: int) -> None:
        if number % 2:
            raise StoreRefusedError("not this one")

    def note(number: int, _: BaseException) -> None:
        refused.append(number)

    Pool[int](work, 1, lambda: 0.0).run(range(100), served.append, note)
    assert sum(served) == 50
    assert refused == [*range(1, 100, 2)]


def test_threads_are_no_more_than_the_process_may_open_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (pool.FILES_LEFT + 100, 1000))
    assert at_once(100, 0.3, before=0.3) == 50


def test_where_the_system_allows_no_more_threads_the_others_do_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def limited(thread: threading.Thread) -> None:
        if len(started) == 3:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    assert at_once(20, 0.01, before=0.0) == 3
