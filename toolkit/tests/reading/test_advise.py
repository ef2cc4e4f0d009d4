"""`bucket advise` measures, and says what follows."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from dvc_bucket.base.errors import BucketError, SpaceError
from dvc_bucket.cli.app import app
from dvc_bucket.read.advise import Advice, advise, measure, report
from dvc_bucket.read.advise.conditions import ConditionError, expression
from dvc_bucket.read.advise.measure import OneRead, seconds
from tests.reading.conftest import GROUP, flights


def advice(**changes: Any) -> Advice:
    read = OneRead(bandwidth=10.0, stream=3.0, local=1.0, touched=50, requests=2)
    made = Advice("data", Path("/tmp"), 1, 100, 1, lookup=0.0, latency=0.02, read=read)
    return replace(made, **changes)


@pytest.mark.parametrize(("takes", "times"), [(0.5, 3), (1.5, 2), (3.0, 1)])
def test_the_median_counts_and_what_takes_long_is_measured_once(takes: float, times: int) -> None:
    now = 0.0
    worked: list[float] = []

    def work() -> None:
        nonlocal now
        worked.append(takes + (0.4 if not worked and takes < 1 else 0))  # the first connects
        now += worked[-1]

    assert seconds(work, lambda: now) == pytest.approx(takes)
    assert len(worked) == times


def test_staging_is_faster_from_the_read_on_that_pays_for_the_copy() -> None:
    found = advice()
    assert (found.stage_from, found.staged(5), found.streamed(5)) == (5, 15.0, 15.0)
    assert found.staged(4) > found.streamed(4)
    assert found.staged(6) < found.streamed(6)
    assert (found.way, advice(reads=6).way) == ("stream", "stage")
    assert advice(lookup=2.0).stage_from == 3  # each streamed read looks up, one copy does
    same = replace(found.read, stream=1.0)
    assert advice(read=same).stage_from is None


def test_the_advice_shows_both_times_and_where_staging_becomes_faster() -> None:
    lines = report.text(advice(reads=6)).splitlines()
    assert lines[0] == "Stage it. Staging becomes faster at 5 reads."
    assert lines[2].split() == ["1", "read", "6", "reads", "10", "reads"]
    assert lines[3].split()[-6:] == ["11.0", "s", "16.0", "s", "20.0", "s"]
    assert lines[4].split() == ["stream", "3.0", "s", "18.0", "s", "30.0", "s"]
    assert "The bucket answers in 20.0 ms; copies arrive at 10 B/s." in lines
    found = report.plain(advice(reads=6))
    assert (found["way"], found["stage_from_reads"]) == ("stage", 5)
    assert (found["stage"]["seconds"], found["stream"]["seconds"]) == (16.0, 18.0)
    assert (found["stream"]["bytes"], found["stream"]["requests"]) == (300, 12)


def test_conditions_are_typed_as_they_are_thought() -> None:
    expected = (ds.field("delay") > 60) & (ds.field("origin") == "JFK") & (ds.field("x") <= 0.5)
    assert str(expression(["delay > 60", "origin=JFK", "x <= 0.5"])) == str(expected)
    assert str(expression(["zip == '01234'"])) == str(ds.field("zip") == "01234")
    assert expression([]) is None
    with pytest.raises(ConditionError, match="'delay' is not a condition"):
        expression(["delay"])


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
    assert (found.files, found.read.touched) == (1, wanted)
    assert found.size == (tmp_path / "copy.parquet").stat().st_size
    assert min(found.read.stream, found.fetch, found.read.local) > 0


@pytest.mark.usefixtures("bare")
def test_of_another_large_file_blocks_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dvc_bucket.read.advise.FILE_BYTES", 1000)
    monkeypatch.setattr(measure, "SAMPLE_BYTES", 256 * 1024)
    found = advise("notes.bin", folder=tmp_path, reads=2)
    assert found.reads == 2
    assert found.size == found.read.touched == 2_560_000
    assert min(found.read.stream, found.fetch, found.read.local) > 0


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"nowhere is not a folder\. Name a folder"):
        advise("data", folder=tmp_path / "nowhere")
