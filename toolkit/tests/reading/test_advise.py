"""`bucket advise` measures, and says what follows."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from dvc_bucket.base.errors import BucketError
from dvc_bucket.cli import app
from dvc_bucket.read.advise import advise, large
from dvc_bucket.read.advise.estimate import Costs, Line, lines
from dvc_bucket.read.advise.rows import ConditionError, condition
from tests.reading.conftest import GROUP, flights


def test_few_units_and_more_give_a_line() -> None:
    slower = Line.through((2, 8), (1.0, 9.0))
    assert (slower.start, slower.each) == (0.0, 1.125)  # slower the more: no start below 0
    line = Line.through((2, 8), (5.0, 11.0))
    assert (line.start, line.each) == (3.0, 1.0)
    assert line.seconds(100) == 103.0
    assert Line.through((1, 1), (2.0, 3.0)).seconds(4) == 10.0


def test_ways_take_turns_and_the_median_counts() -> None:
    now = 0.0
    worked: list[tuple[str, int]] = []

    def way(name: str, each: float) -> Callable[[int], None]:
        def work(count: int) -> None:
            nonlocal now
            worked.append((name, count))
            # One time among the others in which the machine did something else.
            now += each * count * (9 if worked.count((name, count)) == 2 else 1)

        return work

    found = lines([way("a", 0.001), way("b", 0.002)], (2, 8), lambda: now)
    turn = [(name, count) for name in "ab" for count in (2, 8)]
    assert worked == [("a", 1), ("b", 1), *3 * turn]
    assert [line.each for line in found] == pytest.approx([0.001, 0.002])
    worked.clear()
    lines([way("a", 1.0)], (2, 8), lambda: now)
    assert worked == [("a", 1), ("a", 2), ("a", 8)], "what takes long is measured once"


def test_reads_turn_where_the_fetch_is_paid_for() -> None:
    costs = Costs(lookup=0.0, stream=3.0, fetch=10.0, local=1.0)
    assert (costs.turn, costs.staged(5), costs.streamed(5)) == (5, 15.0, 15.0)
    assert costs.staged(4) > costs.streamed(4)
    assert Costs(lookup=0.0, stream=1.0, fetch=10.0, local=1.0).turn is None


def test_conditions_are_typed_as_they_are_thought() -> None:
    expected = (ds.field("delay") > 60) & (ds.field("origin") == "JFK") & (ds.field("x") <= 0.5)
    assert str(condition(["delay > 60", "origin=JFK", "x <= 0.5"])) == str(expected)
    assert str(condition(["zip == '01234'"])) == str(ds.field("zip") == "01234")
    assert condition([]) is None
    with pytest.raises(ConditionError, match="'delay' is no condition"):
        condition(["delay"])


@pytest.mark.usefixtures("bare")
def test_advice_on_what_is_on_the_remote(tmp_path: Path) -> None:
    """A table, many of them, and no table: on each store."""
    words = ["advise", "flights.parquet", "--columns", "delay", "--json", "--to", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["way"] in {"stage", "stream"}
    assert found["stage"]["bytes"] == found["stream"]["bytes"]  # one small file: it comes whole
    assert found["stage"]["seconds"] > found["stage"]["read_seconds"] > 0
    for path in ("parts", "notes.bin"):
        done = CliRunner().invoke(app, ["advise", path, "--to", str(tmp_path)])
        assert done.exit_code == 0, done.output
        assert "it. " in done.output.splitlines()[0]
    assert [path.name for path in tmp_path.iterdir()] == ["clone"]
    with pytest.raises(BucketError, match="has no column dealy"):
        advise("flights.parquet", columns=["dealy"])


@pytest.mark.usefixtures("bare")
def test_of_a_large_table_row_groups_and_columns_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dvc_bucket.read.advise.FILE_BYTES", 1000)
    rows = [f"flight < {2 * GROUP}"]
    found = advise("flights.parquet", columns=["delay"], where=rows, folder=tmp_path)
    parquet.write_table(flights(), tmp_path / "copy.parquet", row_group_size=GROUP)
    metadata = parquet.ParquetFile(tmp_path / "copy.parquet").metadata
    groups = [metadata.row_group(number) for number in range(2)]
    wanted = sum(group.column(at).total_compressed_size for group in groups for at in (0, 2))
    assert (found.files, found.touched) == (1, wanted)
    assert found.size == (tmp_path / "copy.parquet").stat().st_size
    assert min(found.costs.stream, found.costs.fetch, found.costs.local) > 0


@pytest.mark.usefixtures("bare")
def test_of_another_large_file_blocks_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dvc_bucket.read.advise.FILE_BYTES", 1000)
    monkeypatch.setattr(large, "BLOCK_BYTES", 256 * 1024)
    found = advise("notes.bin", folder=tmp_path, reads=2)
    assert found.reads == 2
    assert found.size == found.touched == 2_560_000
    assert min(found.costs.stream, found.costs.fetch, found.costs.local) > 0
