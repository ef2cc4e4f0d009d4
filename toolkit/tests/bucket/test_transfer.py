"""Objects arrive whole or not at all, on both stores, and a failure says where."""

import hashlib
import os
import stat
from pathlib import Path

import obstore
import pytest

from dvc_bucket import Project, Settings, count_objects, download, stored_sha256, upload
from dvc_bucket.base import ports
from dvc_bucket.base.errors import ChecksumError, MissingObjectError, TransferError
from dvc_bucket.transfer.errors import MissingBucketError
from tests.stores.access import StoreAccess


@pytest.fixture(scope="module")
def settings(store: Project, remote_store: StoreAccess) -> Settings:
    return Settings.load(store, remote_store.env)


def test_what_goes_up_comes_down(settings: Settings, tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "é folder" / "copy"
    source.write_bytes(os.urandom(9 * 1024**2))  # several parts, several chunks
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert upload(source, "transfer/é big", settings=settings) == source.stat().st_size
    assert stored_sha256("transfer/é big", settings=settings) == digest
    size = download("transfer/é big", copy, sha256=digest, settings=settings)
    assert size == source.stat().st_size
    assert copy.read_bytes() == source.read_bytes()


def test_an_empty_file_is_a_file(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    upload(tmp_path / "empty", "transfer/empty", settings=settings)
    assert download("transfer/empty", tmp_path / "copy", settings=settings) == 0
    assert (tmp_path / "copy").read_bytes() == b""


def test_a_download_has_the_mode_of_any_new_file(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    upload(tmp_path / "plain", "transfer/mode", settings=settings)
    download("transfer/mode", tmp_path / "copy", settings=settings)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "copy")]
    assert modes[0] == modes[1]


def test_a_wrong_checksum_leaves_the_old_file_and_nothing_else(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "new").write_text("new")
    upload(tmp_path / "new", "transfer/new", settings=settings)
    target = tmp_path / "target" / "file"
    target.parent.mkdir()
    target.write_text("old")
    with pytest.raises(ChecksumError, match="transfer/new"):
        download("transfer/new", target, sha256="0" * 64, settings=settings)
    assert [path.name for path in target.parent.iterdir()] == ["file"]
    assert target.read_text() == "old"


def test_a_missing_key_is_named_and_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(MissingObjectError, match="transfer/none"):
        download("transfer/none", tmp_path / "file", settings=settings)
    assert list(tmp_path.iterdir()) == []
    assert stored_sha256("transfer/none", settings=settings) is None


def test_an_object_that_became_empty_is_a_wrong_one(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    upload(tmp_path / "empty", "transfer/emptied", settings=settings)
    with pytest.raises(ChecksumError, match=r"transfer/emptied has SHA-256 e3b0c442"):
        download("transfer/emptied", tmp_path / "copy", sha256="1" * 64, settings=settings)
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_missing_key_is_named_where_the_sum_is_known(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(
        MissingObjectError, match="transfer/none: the object or bucket does not exist"
    ):
        download("transfer/none", tmp_path / "file", sha256="1" * 64, settings=settings)


def test_a_bucket_that_is_not_there_is_said(settings: Settings, tmp_path: Path) -> None:
    elsewhere = settings.model_copy(update={"bucket_name": "no-such-bucket-here"})
    with pytest.raises(MissingBucketError, match="the bucket does not exist"):
        download("transfer/any", tmp_path / "file", sha256="1" * 64, settings=elsewhere)


def test_a_sum_that_upload_noted_is_proven(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    noted = {"sha256": hashlib.sha256(b"other").hexdigest()}
    obstore.put(settings.obstore(), "transfer/noted", tmp_path / "file", attributes=noted)
    with pytest.raises(ChecksumError, match="transfer/noted has SHA-256"):
        download("transfer/noted", tmp_path / "copy", settings=settings)


def test_a_large_object_comes_in_several_streams(settings: Settings, tmp_path: Path) -> None:
    body = os.urandom(41 * 1024**2)
    (tmp_path / "large").write_bytes(body)
    upload(tmp_path / "large", "transfer/large", settings=settings)
    assert download("transfer/large", tmp_path / "copy", settings=settings) == len(body)
    assert (tmp_path / "copy").read_bytes() == body


def test_a_missing_local_file_is_not_taken_for_a_missing_object(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        upload(tmp_path / "none", "transfer/never", settings=settings)


def test_usage_counts_what_is_below_a_prefix(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "four").write_bytes(b"1234")
    for name in ("a", "b/c"):
        upload(tmp_path / "four", f"counted/{name}", settings=settings)
    assert count_objects("counted", settings=settings) == (2, 8)
    assert count_objects("not-there", settings=settings) == (0, 0)


def test_a_wrong_secret_is_said_and_not_shown(store: Project, tmp_path: Path) -> None:
    wrong = Settings.load(store, {"OS_SECRET_ACCESS_KEY": "wrong-secret-wrong"})
    with pytest.raises(TransferError, match="refuses it with these credentials") as caught:
        download("transfer/any", tmp_path / "file", settings=wrong)
    assert "wrong-secret-wrong" not in str(caught.value)


def test_a_store_that_is_down_is_named_with_the_fix(store: Project, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
    down = Settings.load(store, {"OS_ENDPOINT_URL": endpoint})
    with pytest.raises(TransferError, match="make serve") as caught:
        download("transfer/any", tmp_path / "file", settings=down)
    with pytest.raises(TransferError, match="make serve"):
        download("transfer/any", tmp_path / "file", sha256="1" * 64, settings=down)
    assert endpoint in str(caught.value)
    assert list(tmp_path.iterdir()) == []
