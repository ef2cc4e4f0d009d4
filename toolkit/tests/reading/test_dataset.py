"""`open_dataset` and `open_file` read what DVC recorded, from wherever it is."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from pyarrow import parquet

from dvc_bucket import Project, Settings, open_dataset, open_file
from dvc_bucket.base.errors import NotPushedError, NotTrackedError, ProjectError, RevisionError
from dvc_bucket.errors import FormatError
from tests.reading.conftest import GROUP, ROWS, flights, fresh_clone
from tests.stores.plain_front import PlainFront
from tests.verify.published import Published

#: What a reader fetches of the end of a Parquet file at first. Source: Apache Arrow, cpp/src/
#: parquet/properties.h, kDefaultFooterReadSize.
FOOTER_BYTES = 64 * 1024

#: Goes through a table of a project batch by batch; prints rows, and the largest memory in kB.
PASS = """
import os, resource, sys
os.chdir(sys.argv[1])
os.makedirs(".dvc", exist_ok=True)
open(".dvc/config", "a").close()
from dvc_bucket import open_dataset
rows = sum(batch.num_rows for batch in open_dataset(sys.argv[2]).to_batches())
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


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
    with pytest.raises(NotTrackedError, match="outside the project"):
        open_dataset("../other.parquet")
    with pytest.raises(RevisionError, match="Unknown revision v9"):
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


def test_only_what_is_asked_for_crosses_the_wire(
    published_tables: dict[str, Published],
    tmp_path: Path,
    store: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clone = fresh_clone(published_tables["seaweed"], tmp_path)
    monkeypatch.chdir(clone.root)
    original = parquet.ParquetFile(published_tables["seaweed"].root / "flights.parquet").metadata
    groups = [original.row_group(number) for number in range(original.num_row_groups)]
    with PlainFront(Settings.load(store).port) as front:
        monkeypatch.setenv("OS_ENDPOINT_URL", front.url)
        assert len(open_dataset("flights.parquet", columns=["delay"]).to_table()) == ROWS
        column = sum(exchange.received for exchange in front.exchanges)
        front.exchanges.clear()
        few = ds.field("flight") < GROUP // 2
        table = open_dataset("flights.parquet", columns=["delay", "flight"], filter=few)
        assert len(table.to_table()) == GROUP // 2
        group = sum(exchange.received for exchange in front.exchanges)
    delay = sum(one.column(2).total_compressed_size for one in groups)
    assert delay <= column <= 1.1 * delay + FOOTER_BYTES
    first = groups[0].column(0).total_compressed_size + groups[0].column(2).total_compressed_size
    assert first <= group <= 1.1 * first + FOOTER_BYTES
    assert group < original.serialized_size + sum(one.total_byte_size for one in groups) / 4


def test_memory_of_a_pass_is_bounded_by_the_batch(tmp_path: Path) -> None:
    """Ten times the rows take no more memory: both passes run in processes of their own."""
    peaks = []
    for times in (1, 10):
        with parquet.ParquetWriter(tmp_path / f"{times}.parquet", flights(0, 1).schema) as writer:
            for number in range(4 * times):
                writer.write_table(flights(number * ROWS))
        words = [sys.executable, "-c", PASS, str(tmp_path), f"{times}.parquet"]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        rows, peak = map(int, done.stdout.split())
        assert rows == 4 * times * ROWS
        peaks.append(peak)
    assert peaks[1] < 1.5 * peaks[0], peaks
