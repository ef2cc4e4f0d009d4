"""Many small files of the remote come whole, one request each, and are proven right."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from dvc_bucket import Project, Settings, iter_samples, open_dataset
from dvc_bucket.base.errors import ChecksumError, NotPushedError
from dvc_bucket.read import tree
from tests.reading.conftest import MANY, flights, fresh_clone
from tests.stores.plain_front import PlainFront
from tests.verify.published import Published


@pytest.mark.usefixtures("bare")
def test_they_are_one_table_in_the_order_of_their_names() -> None:
    whole = flights(0, MANY * 100)
    table = open_dataset("many")
    before = pa.total_allocated_bytes()
    read = table.to_table()
    assert pa.total_allocated_bytes() - before < read.nbytes  # from the system's allocator
    assert read.equals(whole)
    assert pa.Table.from_batches(table.to_batches()).equals(whole)
    assert table.count_rows() == len(whole)
    assert table.head(150).equals(whole.slice(0, 150))
    assert table.scanner(columns=["text"]).to_table().equals(whole.select(["text"]))


@pytest.mark.usefixtures("bare")
def test_columns_and_filter_hold() -> None:
    wanted = ds.field("delay") == 7
    rows = flights(0, MANY * 100).filter(wanted).select(["flight"])
    table = open_dataset("many", columns=["flight"], filter=wanted)
    assert table.to_table().equals(rows)
    assert table.count_rows() == len(rows)
    assert table.to_pandas()["flight"].tolist() == rows["flight"].to_pylist()
    narrower = table.to_table(filter=ds.field("flight") < 500)
    assert narrower.equals(rows.filter(ds.field("flight") < 500))


def test_each_costs_one_request(
    published_tables: dict[str, Published],
    tmp_path: Path,
    store: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clone = fresh_clone(published_tables["seaweed"], tmp_path)
    monkeypatch.chdir(clone.root)
    with PlainFront(Settings.load(store).port) as front:
        monkeypatch.setenv("OS_ENDPOINT_URL", front.url)
        table = open_dataset("many")
        front.exchanges.clear()
        table.to_table()
        gets = [one.path for one in front.exchanges if one.method == "GET"]
    assert len(gets) == len(front.exchanges) == len(set(gets)) == MANY


@contextmanager
def replaced(where: Published, path: str, content: bytes | None) -> Iterator[None]:
    """The object of a file is gone, or another, for a while."""
    [file] = tree.find(path).files
    key = tree.find(path).key(file).removeprefix(f"{where.prefix}/")
    original = where.get(key)
    where.delete(key)
    try:
        if content is not None:
            where.put(key, content)
        yield
    finally:
        where.put(key, original)


def test_one_that_is_not_as_it_should_be_is_named(bare: Published) -> None:
    table = open_dataset("many")
    with replaced(bare, "many/07.parquet", None):
        with pytest.raises(NotPushedError, match=r"many/07\.parquet of the workspace is not on"):
            table.to_table()
        with pytest.raises(NotPushedError, match=r"many/07\.parquet"):
            list(table.to_batches())
    with (
        replaced(bare, "many/09.parquet", b"PAR1"),
        pytest.raises(ChecksumError, match=r"many/09\.parquet of the workspace is damaged on"),
    ):
        table.to_table()
    assert table.count_rows() == MANY * 100


@pytest.mark.usefixtures("bare")
def test_files_that_nobody_packed_are_samples_too() -> None:
    expected = [(f"{number:02}.txt", f"{number}\n".encode() * number) for number in range(MANY)]
    assert [(one.name, one.data) for one in iter_samples("texts")] == expected
    shuffled = [one.name for one in iter_samples("texts", shuffle=1)]
    assert shuffled == [one.name for one in iter_samples("texts", shuffle=1)]
    assert sorted(shuffled) == [name for name, _ in expected] != shuffled
