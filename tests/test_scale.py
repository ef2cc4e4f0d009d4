"""The data enlarged, and the same bytes from one process, two, and a cluster of Dask."""

import os
from pathlib import Path

import pandas as pd
import pytest
from dvc_bucket.base.kernels import pins

from pipeline.engines import SCHEDULER, WORKERS
from pipeline.schemas import KEY, WEATHER_VALUES
from pipeline.tables import read_parquet
from tests.pipeline_tools import (
    changed_params,
    dask_cluster,
    features_folder,
    interim,
    raw_folder,
    run,
)


@pytest.fixture(scope="module")
def three_years(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interim tables of three copies, and their features."""
    folder = tmp_path_factory.mktemp("years")
    params = changed_params(folder / "params.yaml", {"scale": {"copies": 3}})
    done = run("clean.py", raw_folder(), folder / "interim", "--params", params)
    assert done.returncode == 0, done.stderr
    done = run("features.py", folder / "interim", folder / "features", "--params", params)
    assert done.returncode == 0, done.stderr
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of all files below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_the_first_year_of_three_is_the_data_as_it_is(three_years: Path) -> None:
    found = contents(three_years / "interim")
    assert len(found) == 2 + 2 * 36
    assert {name: found[name] for name in contents(interim())} == contents(interim())
    features = contents(three_years / "features")
    assert len(features) == 36
    assert {name: features[name] for name in contents(features_folder())} == contents(
        features_folder()
    )


def test_a_copy_has_the_same_rows_a_year_later(three_years: Path) -> None:
    first, later = (
        read_parquet(three_years / "interim" / "flights" / f"{year}-06.parquet")
        for year in (2013, 2015)
    )
    two = pd.DateOffset(years=2)
    moved = first.assign(scheduled=first["scheduled"] + two, day=first["day"] + two)
    pd.testing.assert_frame_equal(moved, later, check_dtype=False)
    flights = read_parquet(three_years / "interim" / "flights", KEY)
    assert not flights.duplicated().any()
    features = read_parquet(three_years / "features" / "2015-06.parquet")
    again = read_parquet(features_folder() / "2013-06.parquet")
    same = [*WEATHER_VALUES, "departures_60", "mean_delay_180", "waiting", "late"]
    pd.testing.assert_frame_equal(features[same], again[same])


def test_the_bytes_are_the_same_in_one_process(tmp_path: Path) -> None:
    _assert_same("clean.py", raw_folder(), tmp_path / "interim", interim(), {WORKERS: "1"})
    _assert_same("features.py", interim(), tmp_path / "out", features_folder(), {WORKERS: "1"})


def test_the_bytes_are_the_same_on_a_cluster_of_dask(tmp_path: Path) -> None:
    os.environ |= (own := pins(os.environ))  # for the workers, as `bucket run` does
    try:
        with dask_cluster() as address:
            _assert_same(
                "features.py", interim(), tmp_path / "out", features_folder(), {SCHEDULER: address}
            )
    finally:
        for name in own:
            del os.environ[name]


def _assert_same(
    script: str, source: Path, output: Path, expected: Path, environment: dict[str, str]
) -> None:
    done = run(script, source, output, **environment)
    assert done.returncode == 0, done.stderr
    assert contents(output) == contents(expected)
