"""Recorded data that was damaged, on the store or in the cache, is refused and not read."""

import hashlib
import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from pyarrow import parquet

from dvc_bucket import Project, Settings, download, iter_samples, open_dataset, open_file, upload
from dvc_bucket.base.errors import ChecksumError
from dvc_bucket.read.content import PIECE_BYTES
from tests import forking
from tests.reading.conftest import GROUP, flights, fresh_clone
from tests.safety.tables import CSV_ROWS, FOLDERS, NOTES, TRACKED, damaged, flipped, key_of
from tests.stores.plain_front import Headers, PlainFront
from tests.stores.swift import Swift
from tests.verify.published import Published, flip_on_disk, s3


@pytest.mark.usefixtures("clone")
def test_good_data_is_read() -> None:
    for full in (None, "full"):
        assert open_dataset("ours.parquet", "v1", proven=full).to_table().equals(flights())
        assert open_dataset("foreign.parquet", "v1", proven=full).count_rows() == len(flights())
        assert open_dataset("table.arrow", "v1", proven=full).to_table().equals(flights())
        read = open_dataset("table.csv", "v1", proven=full).to_table()
        assert read["flight"].to_pylist() == list(range(CSV_ROWS))
        assert open_dataset("table.csv", "v1", proven=full).head(5).num_rows == 5
        with open_file("notes.bin", "v1", proven=full) as file:
            assert file.read() == NOTES
        for folder in FOLDERS:
            assert len([*iter_samples(folder, "v1", proven=full)]) == 3


@pytest.mark.parametrize("path", TRACKED)
def test_an_object_with_the_etag_of_other_content_is_refused(clone: Published, path: str) -> None:
    said = rf"^{path} of v1 is damaged on the remote s3://.*MD5.*verify --rev v1 --deep --repair"
    with damaged(clone, path, in_parts=False):
        with pytest.raises(ChecksumError, match=said):
            open_file(path, "v1")
        if path.endswith(".bin"):
            return
        with pytest.raises(ChecksumError, match=said):
            open_dataset(path, "v1")


@pytest.mark.parametrize("change", [lambda body: body + b"more", lambda body: body[:-1]])
def test_an_object_of_another_size_than_recorded_is_refused(
    clone: Published, change: Callable[[bytes], bytes]
) -> None:
    """Where the ETag is no MD5, nothing else tells before the last byte."""
    size = len(clone.get(key_of(clone, "foreign.parquet")))
    other = len(change(bytes(size)))
    said = (
        r"^foreign\.parquet of v1 is damaged on the remote s3://.*: "
        rf"it has {other:,} bytes, but DVC recorded {size:,}\. .*verify --rev v1 --deep --repair"
    )
    with damaged(clone, "foreign.parquet", in_parts=True, change=change):
        for read in (open_dataset, open_file):
            with pytest.raises(ChecksumError, match=said):
                read("foreign.parquet", "v1")
        done = forking.run(
            ["bucket", "ls", "-l", "foreign.parquet", "--rev", "v1"],
            env=clone.clone.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"DVC recorded {size:,}" in done.stderr


def test_pages_of_our_parquet_files_are_proven_where_the_etag_is_no_md5(clone: Published) -> None:
    said = r"^ours\.parquet of v1 is damaged on the remote .*: a page does .*--deep --repair"
    with damaged(clone, "ours.parquet", in_parts=True):
        for read in (
            lambda table: table.to_table(),
            lambda table: list(table.to_batches()),
            lambda table: table.to_pandas(),
        ):
            with pytest.raises(ChecksumError, match=said):
                read(open_dataset("ours.parquet", "v1"))
        first = open_dataset("ours.parquet", "v1", filter=ds.field("flight") < GROUP)
        assert first.to_table().equals(flights(0, GROUP))  # only what is read is proven
    with (
        damaged(clone, "shards", in_parts=True),
        pytest.raises(ChecksumError, match="shards/shard"),
    ):
        list(iter_samples("shards", "v1"))


def test_bits_that_flip_below_a_store_are_found_by_the_checksums_of_pages(
    published_tables: dict[str, Published],
    swift: Swift,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The ETag stays the old one."""
    made = fresh_clone(published_tables["swift"], tmp_path)
    monkeypatch.chdir(made.root)
    sink = io.BytesIO()
    parquet.write_table(flights(7, 5000), sink, write_page_checksum=True)
    key = made.track("rot.parquet", sink.getvalue())
    made.put(key, sink.getvalue())
    made.commit("One more")
    shutil.rmtree(made.root / ".dvc" / "cache")
    flip_on_disk(swift.home, sink.getvalue())
    with pytest.raises(ChecksumError, match=r"rot\.parquet of HEAD is damaged"):
        open_dataset("rot.parquet", "HEAD").to_table()


@pytest.mark.parametrize("path", ["foreign.parquet", "table.arrow"])
def test_full_proof_reads_once_and_its_note_proves_later_reads(clone: Published, path: str) -> None:
    with damaged(clone, path, in_parts=True):
        # The documented limit: no MD5 as ETag, no note, no checksums of pages.
        assert not open_dataset(path, "v1").to_table().equals(flights())
        with pytest.raises(ChecksumError, match=rf"^{path} of v1 is damaged on the remote"):
            open_dataset(path, "v1", proven="full")
        with pytest.raises(ChecksumError, match=path):
            open_dataset(path, proven="full")
        with pytest.raises(ChecksumError, match=path):
            open_file(path, "v1", proven="full")
    with damaged(clone, path, in_parts=True, change=lambda content: content):
        assert open_dataset(path, "v1", proven="full").to_table().equals(flights())
        assert clone.project.verified.stat().st_size == 2 * 8
        assert open_dataset(path, "v1").to_table().equals(flights())
        # Written again: other parts of the same content are proven by their bytes.
        clone.put_with_plausible_tag(key_of(clone, path), clone.get(key_of(clone, path)))
        assert open_dataset(path, "v1").to_table().equals(flights())
    with (
        damaged(clone, path, in_parts=True),
        pytest.raises(ChecksumError, match=rf"^{path} of v1 is damaged on the remote"),
    ):
        open_dataset(path, "v1")


def test_a_full_proof_is_one_read_and_ranges_stay_ranges(
    on_seaweed: Published, store: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, whole = "foreign.parquet", len(on_seaweed.get(key_of(on_seaweed, "foreign.parquet")))
    received = []
    with PlainFront(Settings.load(store).port) as front:
        monkeypatch.setenv("OS_ENDPOINT_URL", front.url)
        for full in (None, "full", "full"):
            front.exchanges.clear()
            open_dataset(path, "v1", columns=["delay"], proven=full).to_table()
            received.append(sum(exchange.received for exchange in front.exchanges))
    # One byte shows at the first read whether the store sends parts.
    assert received[0] - 1 == received[2] < whole / 2
    assert received[1] == received[2] + whole


def test_an_etag_that_is_another_md5_is_settled_by_one_whole_read(
    on_seaweed: Published, store: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a store that encrypts has it: the content is right."""
    size = len(on_seaweed.get(key_of(on_seaweed, "foreign.parquet")))

    def encrypt(headers: Headers) -> Headers:
        other = f'"{hashlib.md5(b"encrypted").hexdigest()}"'
        return [(name, other if name.lower() == "etag" else value) for name, value in headers]

    received = []
    with PlainFront(Settings.load(store).port, encrypt) as front:
        monkeypatch.setenv("OS_ENDPOINT_URL", front.url)
        for _ in range(2):
            front.exchanges.clear()
            assert open_dataset("foreign.parquet", "v1").to_table().equals(flights())
            received.append(sum(exchange.received for exchange in front.exchanges))
    # One byte shows at the first read whether the store sends parts.
    assert received[0] == received[1] + size + 1


def test_a_csv_file_is_hashed_as_it_is_read(clone: Published) -> None:
    said = r"^table\.csv of v1 is damaged on the remote .*MD5"
    with damaged(clone, "table.csv", in_parts=True):
        table = open_dataset("table.csv", "v1", columns=["delay"])
        for read in (table.to_table, table.count_rows, table.to_pandas):
            with pytest.raises(ChecksumError, match=said):
                read()
        with pytest.raises(ChecksumError, match=said):
            list(table.to_batches())


def test_a_process_that_leaves_a_csv_file_half_read_ends_well(on_seaweed: Published) -> None:
    code = (
        "from dvc_bucket import open_dataset\n"
        "table = open_dataset('table.csv', 'v1')\n"
        "batches = table.to_batches()\n"
        "print(table.head(5).num_rows, next(batches).num_rows > 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=on_seaweed.root,
        env=on_seaweed.clone.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "5 True\n"), done.stderr


def test_a_stream_raises_before_its_last_bytes(clone: Published) -> None:
    with damaged(clone, "notes.bin", in_parts=True):
        with (
            open_file("notes.bin", "v1") as file,
            pytest.raises(ChecksumError, match=r"notes\.bin"),
        ):
            file.read()
        with open_file("notes.bin", "v1") as file:
            assert file.seek(0, 2) == len(NOTES)
            file.seek(0)
            assert file.read(1000) == NOTES[:1000]  # a part: nothing can prove it
            with pytest.raises(ChecksumError, match=r"notes\.bin of v1 is damaged"):
                list(iter(lambda: file.read(1000), b""))
            assert file.tell() < len(NOTES)
    with damaged(clone, "table.csv", in_parts=True, change=lambda content: flipped(content, 99)):
        done = forking.run(
            ["bucket", "cat", "table.csv", "--rev", "v1"],
            env=clone.clone.environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        size = len(clone.get(key_of(clone, "table.csv")))
    assert done.returncode == 1
    assert b"table.csv of v1 is damaged on the remote" in done.stderr
    assert 0 < len(done.stdout) <= size - size % PIECE_BYTES < size


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize("folder", ["tars", "loose"])
def test_samples_are_hashed(clone: Published, folder: str) -> None:
    with damaged(clone, folder, in_parts=True), pytest.raises(ChecksumError, match=rf"^{folder}/"):
        list(iter_samples(folder, "v1"))
    # Of a tar, what follows the end of the archive is hashed, too.
    with (
        damaged(clone, folder, in_parts=True, change=lambda content: flipped(content, -100)),
        pytest.raises(ChecksumError, match=rf"^{folder}/"),
    ):
        list(iter_samples(folder, "v1"))


@pytest.mark.parametrize("path", TRACKED)
def test_a_damaged_file_of_the_cache_is_refused(
    on_seaweed: Published, published_tables: dict[str, Published], path: str
) -> None:
    shutil.copytree(published_tables["seaweed"].root / ".dvc/cache", on_seaweed.root / ".dvc/cache")
    cached = on_seaweed.cached(key_of(on_seaweed, path))
    content = cached.read_bytes()
    cached.unlink()
    cached.write_bytes(flipped(content))
    said = rf"^{path} of v1 is damaged in the cache \({cached}\): .* `bucket pull`"
    with open_file(path, "v1") as file, pytest.raises(ChecksumError, match=said):
        file.read()
    with pytest.raises(ChecksumError, match=said):
        open_file(path, "v1", proven="full")
    if path in {"ours.parquet", "table.csv"}:
        with pytest.raises(ChecksumError, match=said):
            open_dataset(path, "v1").to_table()


def test_an_object_that_was_written_again_is_not_mixed_with_its_former_self(
    on_seaweed: Published,
) -> None:
    with open_file("notes.bin", "v1") as file:
        file.read(1000)
        with (
            damaged(on_seaweed, "notes.bin", in_parts=True),
            pytest.raises(ChecksumError, match=r"notes\.bin .* was overwritten while it was read"),
        ):
            file.read()


def test_a_download_is_compared_with_the_hash_that_upload_left(
    on_seaweed: Published, tmp_path: Path
) -> None:
    (tmp_path / "good").write_bytes(b"good")
    key = f"{on_seaweed.prefix}/named"
    upload(tmp_path / "good", key)
    download(key, tmp_path / "copy")
    noted = {"sha256": hashlib.sha256(b"good").hexdigest()}
    where = {"Bucket": on_seaweed.store.bucket, "Key": key}
    s3(on_seaweed.store).put_object(**where, Body=b"evil", Metadata=noted)
    with pytest.raises(ChecksumError, match="has SHA-256"):
        download(key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"good"
