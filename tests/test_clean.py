import pandas as pd
import pyarrow.parquet as pq
import pytest
from dvc_bucket.stages import read_parquet

from pipeline.clean import clean_flights
from pipeline.schemas import FLIGHTS, KEY, ORIGINS, PLANES, WEATHER
from tests.pipeline_tools import interim, raw_tables

FLIGHT_FILES = [f"flights/2013-{month:02d}.parquet" for month in range(1, 13)]
WEATHER_FILES = [file.replace("flights", "weather") for file in FLIGHT_FILES]
TABLES = {
    "planes.parquet": (PLANES, ["tailnum"], 3322),
    "origins.parquet": (ORIGINS, ["origin"], 3),
}


def test_the_folder_holds_the_tables_and_nothing_else() -> None:
    files = [path for path in interim().rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(interim())) for path in files) == sorted(
        [*FLIGHT_FILES, *WEATHER_FILES, *TABLES]
    )


@pytest.mark.parametrize("file", TABLES)
def test_a_table_has_its_schema_its_rows_and_a_unique_sorted_key(file: str) -> None:
    schema, key, rows = TABLES[file]
    table = read_parquet(interim() / file)
    assert pq.read_schema(interim() / file).equals(schema, check_metadata=True)
    assert len(table) == rows
    keys = pd.MultiIndex.from_frame(table[key])
    assert keys.is_unique
    assert keys.is_monotonic_increasing


def test_flights_have_their_schema_their_rows_and_a_unique_sorted_key() -> None:
    flights = read_parquet(interim() / "flights")
    for file in FLIGHT_FILES:
        assert pq.read_schema(interim() / file).equals(FLIGHTS, check_metadata=True)
    assert len(flights) == 336_776
    keys = pd.MultiIndex.from_frame(flights[KEY])
    assert keys.is_unique
    assert keys.is_monotonic_increasing


def test_weather_has_its_schema_its_rows_and_each_month_a_unique_sorted_key() -> None:
    assert len(read_parquet(interim() / "weather")) == 26_115
    for file in WEATHER_FILES:
        assert pq.read_schema(interim() / file).equals(WEATHER, check_metadata=True)
        keys = pd.MultiIndex.from_frame(read_parquet(interim() / file)[["origin", "hour"]])
        assert keys.is_unique
        assert keys.is_monotonic_increasing


def test_cancelled_flights_stay_with_no_delay() -> None:
    assert read_parquet(interim() / "flights")["dep_delay"].isna().sum() == 8255


def test_a_flight_is_in_the_file_of_its_local_month() -> None:
    for month, file in enumerate(FLIGHT_FILES, start=1):
        flights = read_parquet(interim() / file)
        local = flights["scheduled"].dt.tz_convert("America/New_York")
        assert (local.dt.month == month).all()
        assert (local.dt.hour * 60 + local.dt.minute == flights["minute_of_day"]).all()
        assert (local.dt.tz_localize(None).dt.normalize() == flights["day"]).all()


def test_local_hours_that_occur_twice_are_distinct_in_utc() -> None:
    raw = raw_tables()["weather"]
    local = raw[["origin", "year", "month", "day", "hour"]]
    again = local[local.duplicated()]
    assert len(again) == 3
    assert (again[["month", "day", "hour"]] == [11, 3, 1]).all(axis=None)
    weather = read_parquet(interim() / "weather")
    night = weather[
        weather["hour"].dt.tz_convert("America/New_York").dt.strftime("%m-%d %H") == "11-03 01"
    ]
    assert sorted(night["hour"].dt.hour.unique()) == [5, 6]
    assert len(night) == 6


def test_a_wind_speed_that_cannot_be_becomes_null_and_no_other_does() -> None:
    raw = raw_tables()["weather"]["wind_speed"]
    clean = read_parquet(interim() / "weather")["wind_speed"]
    assert raw.max() > 1000
    assert clean.max() < 200
    assert clean.isna().sum() == raw.isna().sum() + 1


def test_a_row_keeps_its_values() -> None:
    raw = raw_tables()["flights"].iloc[[0]]
    (flight,) = clean_flights(raw).to_dict("records")
    assert flight == {
        "scheduled": pd.Timestamp("2013-01-01T10:15Z"),
        "carrier": "UA",
        "flight": 1545,
        "origin": "EWR",
        "dest": "IAH",
        "tailnum": "N14228",
        "distance": 1400,
        "day": pd.Timestamp("2013-01-01"),
        "minute_of_day": 315,
        "dep_delay": 2,
    }
