"""`open_dataset` and `open_file` read what DVC recorded, from wherever it is."""

import re
import shutil
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from bucket import open_dataset, open_file
from bucket.dataset import FormatError
from bucket.errors import NotPushedError, NotTrackedError, ProjectError, RevisionError
from tests.reading.conftest import ROWS, flights
from tests.verify.published import Published


def test_a_table_is_streamed_and_nothing_lands_on_disk(bare: Published) -> None:
    before = {path for path in bare.root.rglob("*") if ".git/" not in str(path)}
    table = open_dataset("flights.parquet", columns=["delay", "flight"])
    assert table.to_table().equals(flights().select(["delay", "flight"]))
    after = {path for path in bare.root.rglob("*") if ".git/" not in str(path)}
    assert {path for path in after - before if ".dvc" not in path.parts} == set()
    assert not list(bare.root.glob(".dvc/cache/files/md5/*/*"))


@pytest.mark.usefixtures("bare")
def test_columns_and_filter_hold_for_every_way_to_read() -> None:
    wanted = ds.field("delay") == 7
    table = open_dataset("flights.parquet", "v1", columns=["flight"], filter=wanted)
    rows = flights().filter(wanted).select(["flight"])
    assert table.to_table().equals(rows)
    assert table.to_pandas()["flight"].tolist() == rows["flight"].to_pylist()
    assert sum(batch.num_rows for batch in table.to_batches()) == table.count_rows() == len(rows)
    assert table.head(1).column_names == ["flight"]
    narrower = table.to_table(columns=["text"], filter=ds.field("flight") < ROWS // 2)
    assert len(narrower) == sum(flight < ROWS // 2 for flight in rows["flight"].to_pylist())


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("name", ["codes.csv", "codes.arrow"])
def test_other_formats(name: str) -> None:
    found = open_dataset(name, rev="v1").to_table().to_pydict()
    assert found == {"code": ["AA", "UA"], "name": ["American", "United"]}


@pytest.mark.usefixtures("bare")
def test_a_directory_is_one_table_in_the_order_of_its_names() -> None:
    assert open_dataset("parts").to_table().equals(flights(0, 400))
    assert open_dataset("parts/2.parquet").to_table().equals(flights(200, 100))
    years = open_dataset("years", filter=ds.field("year") == 2012, columns=["flight", "year"])
    assert set(years.to_table()["year"].to_pylist()) == {2012}
    assert years.count_rows() == 100


def test_the_workspace_is_read_as_it_is_and_a_revision_as_it_was(
    tables: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tables.root)
    assert open_dataset("codes.csv").to_table()["code"].to_pylist() == ["DL"]
    assert open_dataset("codes.csv", rev="v1").to_table()["code"].to_pylist() == ["AA", "UA"]
    assert open_dataset("unpushed.csv").to_table().to_pydict() == {"a": [1]}
    assert open_dataset(tables.root / "years").count_rows() == 400


def test_another_repository_needs_no_clone_of_ones_own(
    tables: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    for name, value in tables.store.env.items():
        monkeypatch.setenv(name, value)
    table = open_dataset("flights.parquet", "v1", columns=["delay"], repo=f"file://{tables.root}")
    assert table.to_table().equals(flights().select(["delay"]))
    with open_file("codes.csv", "v1", repo=str(tables.root)) as file:
        assert file.readline() == b'"code","name"\n'
    with pytest.raises(RevisionError, match="Could not clone the repository"):
        open_dataset("flights.parquet", repo=str(tmp_path / "nowhere"))
    with pytest.raises(ProjectError, match="not inside a DVC project"):
        open_dataset("flights.parquet")


@pytest.mark.usefixtures("bare")
def test_any_file_is_a_stream_of_bytes() -> None:
    content = bytes(range(256)) * 10_000
    with open_file("notes.bin") as file:
        assert file.read(300) == content[:300]
        assert file.seek(-5, 2) == len(content) - 5
        assert file.read() == content[-5:]
    with pytest.raises(FormatError, match="parts is a directory"):
        open_file("parts")


@pytest.mark.usefixtures("bare")
def test_each_mistake_has_its_own_error() -> None:
    with pytest.raises(NotTrackedError, match=r"does not track fligths\.parquet at v1.*codes"):
        open_dataset("fligths.parquet", rev="v1")
    with pytest.raises(NotTrackedError, match="outside of the project"):
        open_dataset("../other.parquet")
    with pytest.raises(RevisionError, match="No revision v9 here"):
        open_dataset("flights.parquet", rev="v9")
    with pytest.raises(NotPushedError, match=r"unpushed\.csv of the workspace is not on.*push"):
        open_dataset("unpushed.csv")
    with pytest.raises(NotTrackedError, match=r"does not track unpushed\.csv at v1"):
        open_dataset("unpushed.csv", rev="v1")
    with pytest.raises(FormatError, match="has no column dealy"):
        open_dataset("flights.parquet", columns=["dealy"])
    with pytest.raises(FormatError, match=r"notes\.bin and its like end in \.bin"):
        open_dataset("notes.bin")


def test_the_cache_serves_before_the_remote(bare: Published, tables: Published) -> None:
    shutil.copytree(tables.root / ".dvc" / "cache", bare.root / ".dvc" / "cache")
    env = (bare.root / ".env").read_text()
    nowhere = re.sub(r"(?m)^OS_ENDPOINT_URL=.*", "OS_ENDPOINT_URL=http://127.0.0.1:9", env)
    (bare.root / ".env").write_text(nowhere)
    assert open_dataset("parts", rev="v1").to_table().equals(flights(0, 400))
