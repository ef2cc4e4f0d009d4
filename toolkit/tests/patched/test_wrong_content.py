"""What arrives is what its name promises, or nowhere: retried once, then named."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dvc_bucket import Settings
from tests.patched.cloud import BucketFolder
from tests.patched.tools import add_data, cache_files, forget, object_of
from tests.stores.plain_front import Exchange, PlainFront

#: Makes a front that damages the answers to the first requests for a path: how many, which.
Damaging = Callable[[int, str], PlainFront]

pytestmark = pytest.mark.usefixtures("fast")


@pytest.fixture
def damaging(settings: Settings) -> Iterator[Damaging]:
    fronts: list[PlainFront] = []

    def make(times: int, path: str) -> PlainFront:
        left = [times]

        def flip(exchange: Exchange, piece: bytes) -> bytes:
            if exchange.method == "GET" and exchange.path.endswith(path) and left[0]:
                left[0] -= 1
                return piece[:-1] + bytes([piece[-1] ^ 1])
            return piece

        fronts.append(PlainFront(settings.port, change_body=flip).start())
        return fronts[-1]

    yield make
    for front in fronts:
        front.stop()


def point_at(repo: Any, front: PlainFront) -> None:
    with repo.config.edit() as config:
        config["remote"]["upstream"]["endpointurl"] = front.url


def requests_for(front: PlainFront, path: str) -> int:
    return sum(e.path.endswith(path) and e.method == "GET" for e in front.exchanges)


def test_one_damaged_answer_is_asked_for_again(
    tmp_dir: Any, dvc: Any, remote: BucketFolder, damaging: Damaging
) -> None:
    add_data(Path(tmp_dir), dvc)
    dvc.push()
    before = cache_files(dvc)
    oid = next(name.replace("/", "") for name, (_, body) in before.items() if len(body) == 510)
    forget(dvc, "many", "big.bin")
    path = f"{oid[:2]}/{oid[2:]}"
    front = damaging(1, path)
    point_at(dvc, front)
    dvc.pull()
    assert requests_for(front, path) == 2
    assert cache_files(dvc) == before
    assert object_of(remote, oid).exists()


@pytest.mark.parametrize("size", [1000, 3_000_000, 70_000_000], ids=["small", "streamed", "ranges"])
def test_a_damaged_object_is_named_and_goes_nowhere(
    tmp_dir: Any,
    dvc: Any,
    remote: BucketFolder,
    damaging: Damaging,
    caplog: pytest.LogCaptureFixture,
    size: int,
    settings: Settings,
) -> None:
    if size > 10_000_000 and "test" in str(settings.access_key_id):
        pytest.skip("one store is enough for what is large")
    from dvc.exceptions import DownloadError

    (tmp_dir / "file.bin").write_bytes(bytes(range(250)) * (size // 250))
    (tmp_dir / "good.bin").write_bytes(b"good")
    stages = dvc.add(["file.bin", "good.bin"])
    dvc.push()
    oid = stages[0].outs[0].hash_info.value
    forget(dvc, "file.bin", "good.bin")
    path = f"{oid[:2]}/{oid[2:]}"
    point_at(dvc, damaging(10_000, path))
    with caplog.at_level(logging.ERROR, "dvc_data"), pytest.raises(DownloadError):
        dvc.pull()
    reasons = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert len(reasons) == 1
    assert f"{remote.path.strip('/')}/files/md5/{path} is damaged" in reasons[0]
    assert [name for name, (mode, _) in cache_files(dvc).items() if mode] != []
    assert not any(name.replace("/", "") == oid for name in cache_files(dvc))
    root = Path(dvc.cache.local.path).parents[1]
    assert [path.name for path in root.rglob("*.tmp")] == []
    assert not (root / ".bucket-unfinished").exists()


def test_a_damaged_list_of_a_directory_is_not_believed(
    tmp_dir: Any, dvc: Any, remote: BucketFolder, damaging: Damaging
) -> None:
    add_data(Path(tmp_dir), dvc)
    dvc.push()
    keys = [key for key in remote.all_keys() if key.endswith(".dir")]
    assert len(keys) == 1
    front = damaging(1, keys[0])
    forget(dvc, "many", "big.bin")
    point_at(dvc, front)
    dvc.pull()
    assert len(list((tmp_dir / "many" / "deep").iterdir())) == 30
