"""A project of tables, pushed to each store once a session; tests leave it as it is."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, feather, parquet

from dvc_bucket.base.files import write_private
from tests.clones import TOOLS
from tests.stores.access import StoreAccess
from tests.verify.published import Published, on_each_store

#: Rows of a table, and of a row group of its Parquet file.
ROWS, GROUP = 60_000, 10_000

#: What is tracked.
TRACKED = (
    *("flights.parquet", "parts", "years", "codes.csv", "codes.arrow", "notes.bin"),
    *("many", "texts"),
)

#: Small files in a folder of them.
MANY = 20


def flights(begin: int = 0, count: int = ROWS) -> pa.Table:
    """A number, a text of some length, and another number, which is in no order."""
    numbers = range(begin, begin + count)
    return pa.table(
        {
            "flight": pa.array(numbers, pa.int64()),
            "text": [f"{number * 7919 % 100_003:030}" for number in numbers],
            "delay": [number * 7919 % 1009 for number in numbers],
        }
    )


def publish_tables(made: Published) -> None:
    """Tag `v1` has everything; the workspace has other codes, and a table that nobody pushed."""
    root = made.root
    parquet.write_table(flights(), root / "flights.parquet", row_group_size=GROUP)
    codes = pa.table({"code": ["AA", "UA"], "name": ["American", "United"]})
    csv.write_csv(codes, root / "codes.csv")
    feather.write_feather(codes, root / "codes.arrow", compression="uncompressed")
    (root / "notes.bin").write_bytes(bytes(range(256)) * 10_000)
    for folder in ("many", "texts"):
        (root / folder).mkdir()
    for number in range(MANY):
        parquet.write_table(flights(number * 100, 100), root / "many" / f"{number:02}.parquet")
        (root / "texts" / f"{number:02}.txt").write_text(f"{number}\n" * number)
    for number in range(4):
        part, year = root / "parts" / f"{number}.parquet", root / "years" / f"year={2010 + number}"
        part.parent.mkdir(exist_ok=True)
        parquet.write_table(flights(number * 100, 100), part)
        year.mkdir(parents=True)
        parquet.write_table(flights(number * 100, 100), year / "data.parquet")
    made.dvc("add", *TRACKED)
    made.commit("Tables")
    made.dvc("push")
    made.git("tag", "v1")
    (root / "unpushed.csv").write_text("a\n1\n")
    made.dvc("add", "unpushed.csv")
    (root / "codes.csv").unlink()
    (root / "codes.csv").write_text("code,name\nDL,Delta\n")
    made.dvc("add", "codes.csv")
    made.commit("Other codes, and one nobody pushed")


@pytest.fixture(scope="session")
def published_tables(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Published]:
    return on_each_store(request, tmp_path_factory, publish_tables)


@pytest.fixture
def tables(remote_store: StoreAccess, published_tables: dict[str, Published]) -> Published:
    """The project, with its data, on each store in turn."""
    return published_tables[remote_store.name]


@pytest.fixture
def bare(tables: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    """A fresh clone without any data, which is the current folder."""
    made = fresh_clone(tables, tmp_path)
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def on_swift(published_tables: dict[str, Published], tmp_path: Path) -> Published:
    """The same of one store, for what does not depend on it."""
    return fresh_clone(published_tables["swift"], tmp_path)


def fresh_clone(original: Published, folder: Path) -> Published:
    """A clone in the folder, with `.env`."""
    root = folder / "clone"
    original.git("clone", "-q", str(original.root), str(root))
    write_private(root / ".env", (original.root / ".env").read_text())
    (root / ".venv").symlink_to(TOOLS.parent)
    return Published(root, original.store, original.prefix)
