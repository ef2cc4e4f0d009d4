"""What a store does not give is said in a sentence, soon, and without a secret."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from dvc.exceptions import DownloadError, UploadError
from dvc_objects.fs.local import localfs

from dvc_bucket import Settings
from dvc_bucket.base import ports
from dvc_bucket.dvc import hashes
from dvc_bucket.dvc.patched import moving
from dvc_bucket.dvc.patched.copy import copy
from dvc_bucket.dvc.patched.s3 import FastS3FileSystem
from dvc_bucket.transfer.errors import StoreRefusedError, StoreUnavailableError
from tests.patched.cloud import BucketFolder
from tests.patched.tools import add_data, way
from tests.stores.plain_front import Exchange, PlainFront


@pytest.fixture
def folder(seaweed: Settings) -> BucketFolder:
    return BucketFolder.new(seaweed)


def system(folder: BucketFolder, **changes: Any) -> FastS3FileSystem:
    return FastS3FileSystem(**folder.config | changes)


def upload(remote: FastS3FileSystem, folder: BucketFolder, path: Path, count: int) -> None:
    """Send a file under many names; the first failure is raised."""
    path.write_bytes(b"content")
    names = [f"{folder.fs_path}/files/md5/aa/{number:030}" for number in range(count)]
    copy(localfs, [str(path)] * count, remote, names)


def test_a_wrong_secret(folder: BucketFolder, tmp_path: Path) -> None:
    remote = system(folder, secret_access_key="wrong-secret")
    said = r"refuses it .* \(403 SignatureDoesNotMatch.*bucket doctor"
    with pytest.raises(StoreRefusedError, match=said) as caught:
        remote.exists(f"{folder.fs_path}/files/md5")
    assert "wrong-secret" not in str(caught.value)
    with pytest.raises(StoreRefusedError, match="Could not upload s3://"):
        upload(remote, folder, tmp_path / "file", 3)


def test_a_bucket_that_is_not_there(folder: BucketFolder) -> None:
    with pytest.raises(StoreRefusedError, match=r"the bucket does not exist \(http"):
        system(folder).exists("no-such-bucket/files/md5")


def test_a_store_that_is_down_is_given_up_soon(
    folder: BucketFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    remote = system(folder, endpointurl=f"http://127.0.0.1:{ports.free_ports(1)[0]}")
    start, told = time.monotonic(), []
    path = tmp_path / "file"
    path.write_bytes(b"content")
    names = [f"{folder.fs_path}/files/md5/aa/{number:030}" for number in range(5000)]
    with pytest.raises(StoreUnavailableError, match=r"does not serve it.*Run the command again"):
        copy(
            localfs,
            [str(path)] * len(names),
            remote,
            names,
            on_error=lambda *arguments: told.append(arguments),
        )
    assert time.monotonic() - start < 15
    assert len(told) < 20
    assert caplog.messages == []


def test_an_object_that_is_not_there_is_told_of_and_the_others_come(
    folder: BucketFolder, tmp_path: Path
) -> None:
    (folder / "one").write_bytes(b"1")
    told: list[tuple[str, str, BaseException]] = []
    copy(
        system(folder),
        [f"{folder.fs_path}/{name}" for name in ("none", "one")],
        localfs,
        [str(tmp_path / name) for name in ("none", "one")],
        on_error=lambda *arguments: told.append(arguments),
    )
    assert (tmp_path / "one").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert len(told) == 1
    assert isinstance(told[0][2], FileNotFoundError)
    assert told[0][:2] == (f"{folder.fs_path}/none", str(tmp_path / "none"))


def test_names_and_modes_of_what_is_not_a_cache(folder: BucketFolder, tmp_path: Path) -> None:
    """Odd names go DVC's own way; files get the permissions that any new file gets."""
    names = ["plain", "with space and é", "100%25", "a+b", "deep/er"]
    for name in names:
        (folder / name).write_bytes(name.encode())
    targets = [tmp_path / str(number) for number in range(len(names))]
    copy(
        system(folder),
        [f"{folder.fs_path}/{name}" for name in names],
        localfs,
        [str(target) for target in targets],
    )
    assert [target.read_text() for target in targets] == names
    plain = tmp_path / "made-here"
    plain.touch()
    assert {target.stat().st_mode for target in targets} == {plain.stat().st_mode}


def test_what_the_handler_raises_ends_the_transfer(folder: BucketFolder, tmp_path: Path) -> None:
    """As DVC's does where there are no more descriptors: nothing would work from then on."""
    (folder / "one").write_bytes(b"1")

    def on_error(_: str, __: str, error: BaseException) -> None:
        raise error

    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        copy(
            system(folder),
            [f"{folder.fs_path}/one"] * 100,
            localfs,
            [str(tmp_path / "file" / str(number)) for number in range(100)],
            on_error=on_error,
        )


def test_an_answer_that_breaks_off_is_asked_for_again(
    folder: BucketFolder, seaweed: Settings, tmp_path: Path
) -> None:
    left = [1]

    def cut(exchange: Exchange, piece: bytes) -> bytes:
        if exchange.method == "GET" and left[0]:
            left[0] -= 1
            raise OSError
        return piece

    body = os.urandom(5_000_000)
    (folder / "one").write_bytes(body)
    with PlainFront(seaweed.port, change_body=cut) as front:
        copy(
            system(folder, endpointurl=front.url),
            f"{folder.fs_path}/one",
            localfs,
            str(tmp_path / "one"),
        )
    assert left == [0]
    assert (tmp_path / "one").read_bytes() == body


@pytest.mark.usefixtures("fast", "settings")
def test_dvc_says_what_is_wrong_and_names_nothing_secret(
    tmp_dir: Any,
    dvc: Any,
    make_remote: Callable[..., BucketFolder],
    caplog: pytest.LogCaptureFixture,
) -> None:
    remote = make_remote("upstream", typ="s3")
    add_data(Path(tmp_dir), dvc, count=3)
    with dvc.config.edit() as config:
        config["remote"]["upstream"]["secret_access_key"] = "wrong-secret"
    with caplog.at_level(logging.ERROR), pytest.raises(StoreRefusedError, match="bucket doctor"):
        dvc.push()
    assert remote.all_keys() == []
    assert "wrong-secret" not in caplog.text


@pytest.fixture
def pushing(
    tmp_dir: Any, dvc: Any, folder: BucketFolder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """DVC with a directory of four files, a file, and the folder as its remote; `moving` moves."""
    add_data(Path(tmp_dir), dvc, count=3)
    with dvc.config.edit() as config:
        config["remote"]["upstream"] = folder.config
        config["core"]["remote"] = "upstream"
    original, sent = moving.push, list[Any]()

    def noted(*given: Any) -> Any:
        sent.append(original(*given))
        return sent[-1]

    monkeypatch.setattr(moving, "push", noted)
    with way("fast"):
        yield dvc
    assert sent


@contextmanager
def refusing(repo: Any, folder: BucketFolder, port: int, method: str) -> Iterator[None]:
    """The store refuses one file of the directory for a block."""
    path = Path(repo.root_dir) / "many" / "deep" / "001.bin"
    oid = hashes.of_bytes(path.read_bytes())

    def refuse(asked: str, key: str, _: Mapping[str, str]) -> tuple[int, bytes] | None:
        return (400, b"") if asked == method and key.endswith(oid[2:]) else None

    with PlainFront(port, refuse=refuse) as front:
        with repo.config.edit() as config:
            config["remote"]["upstream"]["endpointurl"] = front.url
        yield
    with repo.config.edit() as config:
        config["remote"]["upstream"] = folder.config


def test_a_list_is_not_sent_without_a_file_that_the_store_refuses(
    pushing: Any, folder: BucketFolder, seaweed: Settings
) -> None:
    """Where a remote has the list of a directory, no push looks whether it has the files."""
    with refusing(pushing, folder, seaweed.port, "PUT"), pytest.raises(UploadError):
        pushing.push()
    assert len(folder.all_keys()) == 4
    assert not any(key.endswith(".dir") for key in folder.all_keys())
    assert pushing.push() == 2


def test_a_list_is_not_fetched_without_a_file_that_the_store_refuses(
    pushing: Any, folder: BucketFolder, seaweed: Settings
) -> None:
    """A list is in the cache only if all of its files are."""
    assert pushing.push() == 6
    cache = Path(pushing.cache.local.path)
    shutil.rmtree(cache)
    with refusing(pushing, folder, seaweed.port, "GET"), pytest.raises(DownloadError):
        pushing.fetch()
    fetched = [path.name for path in cache.rglob("*") if path.is_file()]
    assert len(fetched) == 4
    assert not any(name.endswith(".dir") for name in fetched)
    assert pushing.fetch() == 2


def test_what_others_removed_from_the_remote_is_sent_again(
    pushing: Any, folder: BucketFolder
) -> None:
    """As by `gc --cloud` in another clone; DVC's index of the remote still has all of it."""
    assert pushing.push() == 6
    [a_list] = [key for key in folder.all_keys() if key.endswith(".dir")]
    path = Path(pushing.root_dir) / "many" / "deep" / "001.bin"
    oid = hashes.of_bytes(path.read_bytes())
    for name in (a_list[-34:], oid[2:]):
        [key] = [key for key in folder.all_keys() if key.endswith(name)]
        folder._client.delete_object(Bucket=folder.bucket, Key=key)
    assert pushing.push() == 2
    assert len(folder.all_keys()) == 6
    folder.rmdir()
    assert pushing.push() == 6
    assert len(folder.all_keys()) == 6


def test_a_file_of_a_directory_that_others_removed_is_sent_with_the_next_list(
    pushing: Any, folder: BucketFolder
) -> None:
    """The list that the remote has lost is of an older commit, and is not asked for by this one."""
    assert pushing.push() == 6
    folder.rmdir()
    (Path(pushing.root_dir) / "many" / "more.bin").write_bytes(b"more")
    pushing.add(["many"])
    assert pushing.push() == 7
    assert len(folder.all_keys()) == 7
