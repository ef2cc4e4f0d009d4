"""Tables, files and folders that DVC tracks, and damage to their objects on a store."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyarrow import csv, feather, parquet

from dvc_bucket import pack
from dvc_bucket.read import tree
from tests.reading.conftest import GROUP, flights, fresh_clone
from tests.stores.access import StoreAccess
from tests.verify.published import Published, on_each_store

#: What is tracked. The two Parquet files are as `dvc add` of our own and of foreign files has them.
TRACKED = ("ours.parquet", "foreign.parquet", "table.arrow", "table.csv", "notes.bin")
FOLDERS = ("shards", "tars", "loose")

#: Rows of the CSV file, which is read in several pieces.
CSV_ROWS = 150_000

NOTES = bytes(range(251)) * 10_000


def publish_tables(made: Published) -> None:
    """Tag `v1` has everything."""
    root = made.root
    parquet.write_table(
        flights(), root / "ours.parquet", row_group_size=GROUP, write_page_checksum=True
    )
    parquet.write_table(
        flights(), root / "foreign.parquet", compression="none", use_dictionary=False
    )
    feather.write_feather(flights(), root / "table.arrow", compression="uncompressed")
    csv.write_csv(flights(0, CSV_ROWS), root / "table.csv")
    (root / "notes.bin").write_bytes(NOTES)
    (root / "loose").mkdir()
    for number in range(3):
        (root / "loose" / f"{number}.txt").write_bytes(os.urandom(40_000))
    pack(root / "loose", root / "shards")
    pack(root / "loose", root / "tars", form="tar")
    made.dvc("add", *TRACKED, *FOLDERS)
    made.commit("Tables")
    made.dvc("push")
    made.git("tag", "v1")


def flipped(content: bytes, at: int | None = None) -> bytes:
    """The content with two other bytes, in the middle or at a place."""
    place = len(content) // 2 if at is None else at
    return (
        content[:place]
        + bytes(byte ^ 1 for byte in content[place : place + 2])
        + content[place + 2 :]
    )


def key_of(where: Published, path: str) -> str:
    found = tree.find(path, "v1")
    return found.key(found.files[0]).removeprefix(f"{where.prefix}/")


@contextmanager
def damaged(
    where: Published, path: str, *, in_parts: bool, change: Callable[[bytes], bytes] = flipped
) -> Iterator[None]:
    """The object of a file has other bytes for a while: its ETag tells of it, or is no MD5."""
    key = key_of(where, path)
    original = where.get(key)
    put = where.put_with_plausible_tag if in_parts else where.put
    put(key, change(original))
    try:
        yield
    finally:
        where.put(key, original)


@pytest.fixture(scope="session")
def published_tables(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Published]:
    return on_each_store(request, tmp_path_factory, publish_tables)


@pytest.fixture
def clone(
    remote_store: StoreAccess,
    published_tables: dict[str, Published],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Published:
    """A clone without data, on each store in turn, which is the current folder."""
    made = fresh_clone(published_tables[remote_store.name], tmp_path)
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def on_seaweed(
    published_tables: dict[str, Published], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Published:
    """The same of one store, for promises that do not depend on it."""
    made = fresh_clone(published_tables["seaweed"], tmp_path)
    monkeypatch.chdir(made.root)
    return made
