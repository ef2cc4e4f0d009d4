"""Raw tables to typed Parquet: flights and weather by month, planes, origins.

For trials of size, `scale.copies` has all of it happen again in each year that follows: real rows,
with the year as the only change. Weekdays and the hours that clocks change in move with the dates,
and no copy has a 29 February.
"""

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from dvc_bucket.stages import (
    ResumableFolder,
    conform,
    map_partitions,
    resumable,
    run_stage,
    scratch,
    split_by,
    unfinished,
    write_parquet,
)

from pipeline.params import Clean, Scale
from pipeline.raw import ORIGINS, raw_pieces, read_raw
from pipeline.schemas import FLIGHTS, KEY, PLANES, WEATHER, WEATHER_VALUES, YEAR
from pipeline.schemas import ORIGINS as ORIGIN_NAMES

#: What is read of the tables that come in months.
COLUMNS = {
    "flights": [
        *("year", "month", "day", "hour", "minute", "time_hour"),
        *("carrier", "flight", "origin", "dest", "tailnum", "distance", "dep_delay"),
    ],
    "weather": ["month", "origin", "time_hour", *WEATHER_VALUES],
}


class Month(NamedTuple):
    """A partition: the raw rows of a month, how many years later it is, and its output."""

    table: str
    rows: Path
    years: int
    output: Path


def clean_flights(raw: pd.DataFrame, years: int = 0) -> pd.DataFrame:
    """One row a scheduled flight with its departure in UTC; shape and order of `FLIGHTS`.

    UTC because local hours repeat on the night that clocks go back.
    """
    day = pd.to_datetime(raw[["year", "month", "day"]])
    flights = raw.assign(
        scheduled=hours(raw, years) + pd.to_timedelta(raw["minute"], unit="min"),
        day=day + pd.DateOffset(years=years),
        minute_of_day=raw["hour"] * 60 + raw["minute"],
        dep_delay=raw["dep_delay"].astype("Int16"),
    )
    return conform(flights, FLIGHTS, KEY)


def clean_weather(raw: pd.DataFrame, max_wind_speed: float, years: int = 0) -> pd.DataFrame:
    """One row an origin and hour; wind speeds (mph) that cannot be are dropped, not guessed."""
    weather = raw.assign(
        hour=hours(raw, years),
        wind_speed=raw["wind_speed"].where(raw["wind_speed"] <= max_wind_speed),
    )
    return conform(weather, WEATHER, ["origin", "hour"])


def hours(raw: pd.DataFrame, years: int) -> "pd.Series[pd.Timestamp]":
    """The hour of each row in UTC, so many years later."""
    return pd.to_datetime(raw["time_hour"], utc=True) + pd.DateOffset(years=years)


def clean_planes(raw: pd.DataFrame) -> pd.DataFrame:
    """One row an aircraft."""
    planes = raw.assign(year=raw["year"].astype("Int16"))
    return conform(planes, PLANES, ["tailnum"])


def clean_origins(raw: pd.DataFrame) -> pd.DataFrame:
    """The names of the three origins."""
    origins = raw[raw["faa"].isin(ORIGINS)].rename(columns={"faa": "origin"})
    return conform(origins, ORIGIN_NAMES, ["origin"])


def write_month(month: Month, max_wind_speed: float) -> None:
    """Write one month of a table."""
    raw = pd.read_feather(month.rows)
    if month.table == "flights":
        write_parquet(clean_flights(raw, month.years), FLIGHTS, month.output)
    else:
        weather = clean_weather(raw, max_wind_speed, month.years)
        write_parquet(weather, WEATHER, month.output)


def months(
    table: str, rows: dict[int, Path], copies: int, folder: ResumableFolder
) -> dict[str, Month]:
    """The partitions of a table in the order of time."""
    found = {}
    for years in range(copies):
        for month, source in sorted(rows.items()):
            name = f"{YEAR + years}-{month:02d}"
            output = folder.file(f"{name}.parquet", [source])
            found[f"{table} {name}"] = Month(table, source, years, output)
    return found


def main(raw: Path, interim: Path, params: Path = Path("params.yaml")) -> None:
    """Read the raw tables in the folder RAW and write the typed ones to the folder INTERIM."""
    settings, copies = Clean.read(params), Scale.read(params).copies
    with ExitStack() as folders:
        spool = folders.enter_context(scratch(interim / ".raw.part"))
        partitions: dict[str, Month] = {}
        for table, columns in COLUMNS.items():
            folder = folders.enter_context(resumable(interim / table, settings))
            rows = split_by("month", raw_pieces(raw, table, columns), spool / table)
            partitions |= months(table, rows, copies, folder)
        write = partial(write_month, max_wind_speed=settings.max_wind_speed)
        map_partitions(write, unfinished(partitions), label="clean", seconds=0.05)
    write_parquet(clean_planes(read_raw(raw, "planes")), PLANES, interim / "planes.parquet")
    origins = clean_origins(read_raw(raw, "airports"))
    write_parquet(origins, ORIGIN_NAMES, interim / "origins.parquet")


if __name__ == "__main__":
    run_stage(main)
