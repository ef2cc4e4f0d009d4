"""A table keeps its columns and rows whatever is done with it, and odd files are read as usual."""

import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from pyarrow import csv, parquet

from dvc_bucket import Project, Settings, Table, open_dataset
from dvc_bucket.base.errors import FormatError
from tests.reading.conftest import ROWS, flights, fresh_clone
from tests.stores.fixtures import access
from tests.stores.plain_front import PlainFront
from tests.verify.published import Published, empty

SEVEN = ds.field("delay") == 7


@pytest.fixture(params=["flights.parquet", "many"])
def narrow(request: pytest.FixtureRequest, bare: Published) -> tuple[Table, pa.Table]:
    """A table that is opened with columns and rows, and what is in it."""
    assert bare
    count = ROWS if request.param == "flights.parquet" else 2000
    rows = flights(0, count).filter(SEVEN).select(["flight", "delay"])
    return open_dataset(request.param, "v1", columns=["flight", "delay"], filter=SEVEN), rows


def test_narrowing_it_further_keeps_what_it_was_opened_for(narrow: tuple[Table, pa.Table]) -> None:
    table, rows = narrow
    early = ds.field("flight") < 1500
    assert table.filter(early).to_table().equals(rows.filter(early))
    assert table.filter(early).count_rows() == len(rows.filter(early))
    assert table.filter(early).select(["flight"]).to_table() == rows.filter(early).select(
        ["flight"]
    )
    assert table.schema.names == ["flight", "delay"]
    with pytest.raises(FormatError, match=r"has no column text\. It has flight, delay"):
        table.select(["text"])


def test_what_would_lose_the_filter_is_refused(narrow: tuple[Table, pa.Table]) -> None:
    table, rows = narrow
    for name in ("join", "join_asof", "replace_schema", "sort_by", "take", "get_fragments"):
        with pytest.raises(AttributeError, match=f"no '{name}': it would lose the columns"):
            getattr(table, name)
    with pytest.raises(AttributeError, match=r"A Table has no 'nonsense'\."):
        table.nonsense  # noqa: B018
    with pytest.raises(TypeError):
        ds.dataset([table])
    assert table.to_table().join(rows, "flight").num_rows == len(rows)


def test_a_copy_in_another_process_has_the_same_rows(
    narrow: tuple[Table, pa.Table], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table, rows = narrow
    monkeypatch.chdir(tmp_path)  # it is opened in its own clone
    assert pickle.loads(pickle.dumps(table)).to_table().equals(rows)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(table.count_rows).result(60) == len(rows)


def test_dask_reads_its_parts(
    published_tables: dict[str, Published], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fresh_clone(published_tables["seaweed"], tmp_path).root)
    table = open_dataset("flights.parquet", "v1", columns=["flight", "delay"], filter=SEVEN)
    parts = [table.filter(ds.field("flight") < 900), table.filter(ds.field("flight") >= 900)]
    rows = flights().filter(SEVEN).select(["flight", "delay"])
    frame: Any = dd.from_map(Table.to_pandas, parts, meta=table.head(0).to_pandas())  # type: ignore[no-untyped-call]
    read = frame.compute(scheduler="threads")
    assert read.to_dict("list") == rows.to_pydict()


def test_credentials_are_not_sent_along(bare: Published) -> None:
    table = open_dataset("codes.csv", "v1", settings=Settings.load(bare.project))
    with pytest.raises(TypeError, match="cannot be sent to another process"):
        pickle.dumps(table)


def test_polars_and_duckdb_get_the_same_rows(narrow: tuple[Table, pa.Table]) -> None:
    table, rows = narrow
    early = rows.filter(ds.field("flight") < 1500)
    assert table.scan().collect().to_arrow().num_rows == len(rows)
    query = table.to_polars().filter(pl.col("flight") < 1500).select("flight")
    assert query.collect()["flight"].to_list() == early["flight"].to_pylist()
    relation = table.to_duckdb()
    assert relation.columns == ["flight", "delay"]
    assert len(relation.filter("flight < 1500").fetchall()) == len(early)


def test_batches_have_the_size_that_was_asked_for(bare: Published) -> None:
    assert bare
    for name in ("many", "flights.parquet", "codes.csv"):
        sizes = [batch.num_rows for batch in open_dataset(name, "v1").to_batches(batch_size=50)]
        assert max(sizes) <= 50


def write_odd_files(root: Path) -> None:
    """Folders of files as other programs leave them."""
    rows = pa.table({"a": pa.array([1, 2], pa.int32()), "b": ["x", "y"]})
    for folder in ("hidden", "nulls", "inside", "columns", "types", "twice", "lines", "UPPER"):
        (root / folder).mkdir()
    parquet.write_table(rows, root / "hidden" / "one.parquet")
    for name in ("_SUCCESS", ".DS_Store", "_common_metadata", ".one.parquet.crc"):
        (root / "hidden" / name).write_bytes(b"")
    (root / "hidden" / ".ipynb_checkpoints").mkdir()
    parquet.write_table(rows, root / "hidden" / ".ipynb_checkpoints" / "one-checkpoint.parquet")
    for value in ("2012", "__HIVE_DEFAULT_PARTITION__"):
        (root / "nulls" / f"year={value}").mkdir()
        parquet.write_table(rows, root / "nulls" / f"year={value}" / "data.parquet")
    (root / "inside" / "a=7").mkdir()
    parquet.write_table(
        rows.set_column(0, "a", pa.array([7, 7], pa.int32())), root / "inside" / "a=7" / "d.parquet"
    )
    parquet.write_table(rows, root / "columns" / "0.parquet")
    wider = pa.table({"a": pa.array([2**40], pa.int64()), "c": [0.5]})
    parquet.write_table(wider, root / "columns" / "1.parquet")
    twice = pa.Table.from_arrays(rows.columns, names=["a", "a"])
    parquet.write_table(twice, root / "twice" / "0.parquet")
    parquet.write_table(rows, root / "types" / "0.parquet")
    parquet.write_table(pa.table({"a": ["text"]}), root / "types" / "1.parquet")
    long = pa.table({"n": range(60_000), "text": [f'line "{n}"\nline two' for n in range(60_000)]})
    csv.write_csv(long, root / "lines" / "long.csv")
    csv.write_csv(rows, root / "UPPER" / "TABLE.CSV")


#: What each folder of odd files is read as.
ODD: dict[str, Callable[[pa.Table], Any]] = {
    "hidden": lambda table: table.to_pydict() == {"a": [1, 2], "b": ["x", "y"]},
    "nulls": lambda table: (
        table["year"].to_pylist() == [2012, 2012, None, None]
        and table.schema.field("year").type == pa.int64()
    ),
    "inside": lambda table: table.to_pydict() == {"a": [7, 7], "b": ["x", "y"]},
    "columns": lambda table: (
        table.to_pydict() == {"a": [1, 2, 2**40], "b": ["x", "y", None], "c": [None, None, 0.5]}
    ),
    "lines": lambda table: (
        table["text"].to_pylist() == [f'line "{n}"\nline two' for n in range(60_000)]
    ),
    "UPPER": lambda table: table.to_pydict() == {"a": [1, 2], "b": ["x", "y"]},
}


@pytest.fixture(scope="module")
def odd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    made = empty(tmp_path_factory.mktemp("odd") / "project", access(request, "seaweed"))
    write_odd_files(made.root)
    made.dvc("add", *ODD, "types", "twice")
    made.commit("Odd files")
    made.dvc("push")
    return made


@pytest.fixture(params=["workspace", "cache", "remote"])
def place(
    request: pytest.FixtureRequest, odd: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Where the odd files are read from: arguments of `open_dataset`."""
    where = fresh_clone(odd, tmp_path) if request.param == "remote" else odd
    monkeypatch.chdir(where.root)
    return {} if request.param == "workspace" else {"rev": "main"}


@pytest.mark.parametrize("folder", ODD)
def test_odd_files_are_read_alike_from_everywhere(folder: str, place: dict[str, Any]) -> None:
    assert ODD[folder](open_dataset(folder, **place).to_table())


def test_types_without_a_common_one_are_one_sentence(place: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=r"column a is string in types/1\.parquet and int32 in"):
        open_dataset("types", **place)


def test_polars_reads_large_parquet_files_of_the_remote_by_itself(
    published_tables: dict[str, Published],
    store: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clone = fresh_clone(published_tables["seaweed"], tmp_path)
    monkeypatch.chdir(clone.root)
    with PlainFront(Settings.load(store).port) as front:
        monkeypatch.setenv("OS_ENDPOINT_URL", front.url)
        table = open_dataset("flights.parquet", "v1", columns=["text", "flight"])
        frame = table.scan().filter(pl.col("flight") < 1500)
        assert "Parquet SCAN [s3://" in frame.explain()
        rows = flights(0, 1500).select(["text", "flight"])
        assert frame.collect().to_arrow().cast(table.schema).equals(rows)
        copied, settings = pickle.dumps(frame), Settings.load(clone.project)
        assert settings.secret_access_key
        assert settings.secret_access_key.get_secret_value().encode() not in copied
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            assert pool.submit(height, copied).result(60) == 1500
        for other in (table.filter(SEVEN), open_dataset("years"), open_dataset("many")):
            assert "Parquet SCAN" not in other.scan().explain()


def height(pickled: bytes) -> int:
    """The number of rows of a lazy frame."""
    return len(pickle.loads(pickled).collect())


def test_a_name_that_a_file_has_twice_is_one_sentence(place: dict[str, Any]) -> None:
    with pytest.raises(
        FormatError, match=r"twice/0\.parquet has 2 columns with the name a; a table"
    ):
        open_dataset("twice", **place)
