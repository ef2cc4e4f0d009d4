"""The data enlarged, and the same bytes from one process and from several."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from dvc_bucket.stages import read_parquet

from pipeline.schemas import KEY, WEATHER_VALUES
from tests.pipeline_tools import (
    changed_params,
    features_folder,
    interim,
    run_here,
    small_raw_tables,
    write_raw,
)

#: So many processes the stages take.
WORKERS = "PIPELINE_WORKERS"


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The raw tables of New Year's Day."""
    return write_raw(tmp_path_factory.mktemp("day") / "raw", small_raw_tables())


def made(raw: Path, folder: Path, copies: int) -> Path:
    """Interim tables of so many copies, and their features."""
    folder.mkdir()
    params = changed_params(folder / "params.yaml", {"scale": {"copies": copies}})
    for script, source, output in (
        ("clean.py", raw, folder / "interim"),
        ("features.py", folder / "interim", folder / "features"),
    ):
        done = run_here(script, source, output, "--params", params, **{WORKERS: "1"})
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def one_year(raw: Path) -> Path:
    """What the stages make of the data as it is."""
    return made(raw, raw.with_name("one"), 1)


@pytest.fixture(scope="module")
def three_years(raw: Path) -> Path:
    """What the stages make of three copies."""
    return made(raw, raw.with_name("three"), 3)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of all files below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_first_year_of_three_is_the_data_as_it_is(one_year: Path, three_years: Path) -> None:
    for folder, files in (("interim", 2 + 2 * 3), ("features", 3)):
        found, first = contents(three_years / folder), contents(one_year / folder)
        assert len(found) == files
        assert {name: found[name] for name in first} == first


def test_a_copy_has_the_same_rows_a_year_later(three_years: Path) -> None:
    first, later = (
        read_parquet(three_years / "interim" / "flights" / f"{year}-01.parquet")
        for year in (2013, 2015)
    )
    assert len(first) == 842
    two = pd.DateOffset(years=2)
    moved = first.assign(scheduled=first["scheduled"] + two, day=first["day"] + two)
    pd.testing.assert_frame_equal(moved, later, check_dtype=False)
    flights = read_parquet(three_years / "interim" / "flights", KEY)
    assert not flights.duplicated().any()
    features = read_parquet(three_years / "features" / "2015-01.parquet")
    again = read_parquet(three_years / "features" / "2013-01.parquet")
    same = [*WEATHER_VALUES, "departures_60", "mean_delay_180", "waiting", "late"]
    pd.testing.assert_frame_equal(features[same], again[same])


def test_the_features_are_the_same_bytes_from_two_processes(tmp_path: Path) -> None:
    months = ("2013-01.parquet", "2013-02.parquet")
    for table in ("flights", "weather"):
        (tmp_path / "interim" / table).mkdir(parents=True)
        for month in months:
            shutil.copy(interim() / table / month, tmp_path / "interim" / table)
    shutil.copy(interim() / "planes.parquet", tmp_path / "interim")
    done = run_here("features.py", tmp_path / "interim", tmp_path / "out", **{WORKERS: "2"})
    assert done.returncode == 0, done.stderr
    expected = {month: (features_folder() / month).read_bytes() for month in months}
    assert contents(tmp_path / "out") == expected
