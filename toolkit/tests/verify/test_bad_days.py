"""No command ends where a store throttles, breaks off or is away; what cannot heal ends soon."""

import itertools
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from dvc_objects.fs.local import localfs
from pydantic import SecretStr

from dvc_bucket import Project, Settings, copy_to
from dvc_bucket.base import ports
from dvc_bucket.base.errors import BucketError, TransferError
from dvc_bucket.base.tried_again import tried_again
from dvc_bucket.dvc.patched.copy import copy
from dvc_bucket.dvc.patched.s3 import FastS3FileSystem
from dvc_bucket.transfer.single import count_objects, download, upload
from tests.bucket.store_tools import BUCKET
from tests.bucket.terminal import Terminal
from tests.stores.fault_proxy import FaultProxy
from tests.stores.faults import Faults
from tests.verify.published import FILES, OBJECTS, Published

#: How soon a command ends that cannot succeed, and that a person interrupts: seconds.
SOON = 5.0
AT_ONCE = 3.0

#: Weather in which every command succeeds.
WEATHER = {
    "503": Faults("status", every=3),
    "429": Faults("status", every=3, status=429, retry_after="1"),
    "burst": Faults("status", burst=(0.7, 60)),
    "reset": Faults("reset", every=3),
    "cut": Faults("cut", every=3),
    "short": Faults("short", every=4),
    "flip": Faults("flip", every=4),
    "close": Faults("close", every=2),
    "slow": Faults(rate=100_000),
    "late": Faults(latency=0.02),
}


@pytest.fixture(scope="module")
def proxy(store: Project, good_certificate: Path) -> Iterator[FaultProxy]:
    """Behind TLS, which no embedded store has: what is away may come back."""
    with FaultProxy(Settings.load(store).port, certificate=good_certificate) as running:
        yield running


@pytest.fixture(scope="module")
def away(
    originals: dict[str, Published], proxy: FaultProxy, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """A project whose store is behind the proxy."""
    made = originals["seaweed"].copy(tmp_path_factory.mktemp("bad-days") / "project")
    env = made.project.env_file
    env.write_text(env.read_text().replace(made.store.endpoint_url, proxy.url))
    shutil.rmtree(made.root / ".dvc" / "cache")
    return made


@pytest.fixture
def calm(proxy: FaultProxy) -> Iterator[FaultProxy]:
    """The proxy, of which a test changes the weather."""
    yield proxy
    proxy.faults = Faults()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of three parts."""
    path = tmp_path_factory.mktemp("large") / "large"
    path.write_bytes(os.urandom(17_000_000))
    return path


def remote(project: Published, **changes: Any) -> FastS3FileSystem:
    """DVC's view of the remote."""
    settings = project.settings
    assert settings.secret_access_key
    options = {
        "endpointurl": settings.endpoint_url,
        "access_key_id": settings.access_key_id,
        "secret_access_key": settings.secret_access_key.get_secret_value(),
        "region": "us-east-1",
        "ssl_verify": settings.ca_bundle,
    }
    return FastS3FileSystem(**options | changes)


@pytest.mark.parametrize("name", WEATHER)
def test_bytes_come_and_go_in_any_weather(
    name: str, away: Published, calm: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"{away.store.bucket}/{away.prefix}"
    keys = [away.object(path) for path in FILES if path != "deep/er/same.csv"]
    tried_again.clear()
    calm.exchanges.clear()
    calm.faults = WEATHER[name]
    there, here = [f"{root}/{key}" for key in keys], [str(tmp_path / key) for key in keys]
    copy(remote(away), there, localfs, here)
    assert {key: (tmp_path / key).read_bytes() for key in keys} == {
        away.object(path): content for path, content in FILES.items()
    }
    copy(localfs, here, remote(away), [f"{root}/{name}/{key}" for key in keys])
    monkeypatch.chdir(away.root)
    copy_to(["images"], tmp_path / "copy")
    assert (tmp_path / "copy" / "images" / "03.bin").read_bytes() == FILES["images/03.bin"]
    shutil.rmtree(away.root / ".dvc" / "tmp", ignore_errors=True)  # notes of what was read before
    report = away.verify(deep=True)
    assert (list(report.findings), report.read) == ([], OBJECTS)
    assert {f"{name}/{key}" for key in keys} <= set(away.keys)
    met = sum(each.is_faulty for each in calm.exchanges)
    assert bool(met) == (name not in {"slow", "late"})
    if name not in {"close", "slow", "late"}:
        assert 0 < tried_again.total() <= met


def test_the_same_seed_brings_the_same_faults() -> None:
    def places(faults: Faults) -> list[int]:
        return [number for number in range(1000) if faults.meets(number, 0.0)]

    first = places(Faults(every=5, seed=1))
    assert first == places(Faults(every=5, seed=1)) != places(Faults(every=5, seed=2))
    assert [number // 5 for number in first] == list(range(200))


def test_a_store_that_is_away_is_waited_for(away: Published, calm: FaultProxy, large: Path) -> None:
    store = away.settings.obstore()
    assert store.head(away.key(away.object("table.csv"))["Key"])["size"] == len(FILES["table.csv"])
    calm.go_down(2.0)
    time.sleep(0.1)
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        sending = pool.submit(store.put, f"{away.prefix}/large", large)
        listing = pool.submit(lambda: list(store.list(away.prefix)))
        verifying = pool.submit(away.verify)
    sending.result()
    assert listing.result()
    assert verifying.result()
    assert 1.5 < time.monotonic() - began < 20
    assert bytes(store.read(f"{away.prefix}/large")) == large.read_bytes()


def uploads(project: Published) -> list[str]:
    """Keys of uploads that began and did not end."""
    found = project.store.client().list_multipart_uploads(Bucket=project.store.bucket)
    return [each["Key"] for each in found.get("Uploads", [])]


@pytest.mark.parametrize("name", ["503", "429", "reset"])
def test_each_part_of_a_large_file_is_tried_again_and_counted(
    name: str, away: Published, calm: FaultProxy, large: Path
) -> None:
    key, sent = f"{away.prefix}/{name} é+ parts", list[int]()
    tried_again.clear()
    calm.exchanges.clear()
    calm.faults = WEATHER[name]
    away.settings.obstore().put(key, large, attributes={"made": "here"}, sent=sent.append)
    met = sum(each.is_faulty for each in calm.exchanges)
    assert tried_again.total() == met > 0
    assert len(calm.exchanges) == 5 + met  # it begins, has three parts, and ends
    calm.faults = Faults()
    found = away.store.client().get_object(Bucket=away.store.bucket, Key=key)
    assert (found["Body"].read(), found["Metadata"]) == (large.read_bytes(), {"made": "here"})
    assert sum(sent) == large.stat().st_size


def test_an_upload_whose_last_answer_is_lost_is_complete(
    away: Published, calm: FaultProxy, large: Path
) -> None:
    weathers = (Faults("cut", every=2, methods="POST", seed=seed) for seed in range(99))
    calm.faults = next(each for each in weathers if each.meets(1, 0.0))  # it begins by POST, too
    store, key = away.settings.obstore(), f"{away.prefix}/lost"
    store.put(key, large)
    assert bytes(store.read(key)) == large.read_bytes()


def test_an_upload_that_fails_leaves_no_parts(
    away: Published, calm: FaultProxy, large: Path
) -> None:
    calm.faults = Faults("status", every=1, methods="PUT")
    settings = away.settings.model_copy(update={"retry_seconds": 1})
    began = time.monotonic()
    with pytest.raises(TransferError, match="503"):
        upload(large, f"{away.prefix}/failed", settings=settings)
    assert time.monotonic() - began < SOON
    assert f"{away.prefix}/failed" not in uploads(away)


def test_an_embedded_store_that_ends_in_the_middle_is_not_waited_for(
    store: Project, large: Path
) -> None:
    settings = Settings.load(store)
    with FaultProxy(settings.port, Faults(down=(2, 60))) as proxy:
        behind = settings.model_copy(update={"endpoint_url": proxy.url})
        assert behind.is_embedded
        began = time.monotonic()
        with pytest.raises(TransferError):
            upload(large, "never", settings=behind)
        assert time.monotonic() - began < SOON


def test_retry_after_is_obeyed(away: Published, calm: FaultProxy) -> None:
    store, rest = away.settings.obstore(), 3
    calm.faults = Faults("status", every=1, status=429, retry_after=str(rest))
    threading.Timer(4.0, lambda: setattr(calm, "faults", Faults())).start()
    calm.exchanges.clear()
    store.head(away.key(away.object("table.csv"))["Key"])
    times = [each.at for each in calm.exchanges]
    assert max(after - before for before, after in itertools.pairwise(times)) > rest - 0.1
    assert len(times) < 15


def test_the_budget_of_a_request_ends(away: Published, calm: FaultProxy, tmp_path: Path) -> None:
    calm.faults = Faults("status", every=1)
    settings = away.settings.model_copy(update={"retry_seconds": 1})
    began = time.monotonic()
    with pytest.raises(BucketError, match="503"):
        away_with(settings, tmp_path)
    assert 0.9 < time.monotonic() - began < AT_ONCE
    calm.exchanges.clear()
    with pytest.raises(BucketError, match="503"):
        away_with(settings.model_copy(update={"retry_seconds": 0}), tmp_path)
    assert len(calm.exchanges) == 1


def away_with(settings: Settings, folder: Path) -> None:
    download("any", folder / "any", settings=settings)


@pytest.mark.parametrize("name", ["embedded", "host", "certificate", "keys"])
def test_what_cannot_heal_ends_soon(
    name: str, away: Published, large: Path, tmp_path: Path
) -> None:
    settings = away.settings
    every: dict[str, dict[str, Any]] = {
        "embedded": {"endpoint_url": f"http://127.0.0.1:{ports.free_ports(1)[0]}"},
        "host": {"endpoint_url": "https://no-such-host.example.invalid"},
        "certificate": {"ca_bundle": None},
        "keys": {"secret_access_key": SecretStr("wrong" * 4)},
    }
    broken = settings.model_copy(update=every[name])
    for use in (
        lambda: away_with(broken, tmp_path),
        lambda: upload(large, "large", settings=broken),
        lambda: count_objects("any", settings=broken),
    ):
        began = time.monotonic()
        with pytest.raises(TransferError):
            use()
        assert time.monotonic() - began < SOON


def test_a_person_hears_of_it_once_and_ctrl_c_ends_it_at_once(
    away: Published, calm: FaultProxy
) -> None:
    calm.faults = Faults("status", every=1)
    with Terminal([BUCKET, "pull"], away.root, away.clone.environment) as terminal:
        terminal.read_until("waiting for https://127.0.0.1:")
        began = time.monotonic()
        assert terminal.interrupt("") != 0
        assert time.monotonic() - began < AT_ONCE
        said = r"since \d\d:\d\d:\d\d: 503 Service Unavailable\. Each request is retried for 120 s"
        assert re.search(said, terminal.shown)
        assert terminal.shown.count("waiting for") == 1


def test_a_pipe_hears_of_it_at_the_end(away: Published, calm: FaultProxy) -> None:
    calm.faults = Faults("status", every=2)
    done = away.clone.run(BUCKET, "fetch")
    assert re.search(
        r"^bucket: \d+ requests were tried again \(503 Service Unavailable: \d+\)\.$",
        done.stderr,
        re.M,
    )
    assert "waiting for" not in done.stderr
    assert "tried again" not in away.clone.run(BUCKET, "fetch", "-q").stderr
