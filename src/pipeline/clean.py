"""Raw tables to typed Parquet: flights by month, weather, planes, origins."""

from pathlib import Path

import pandas as pd

from pipeline.params import Clean
from pipeline.raw import ORIGINS, read_raw
from pipeline.schemas import FLIGHTS, KEY, PLANES, WEATHER
from pipeline.schemas import ORIGINS as ORIGIN_NAMES
from pipeline.stage import run_stage
from pipeline.tables import complete_or_absent, conform, write_parquet

FLIGHT_COLUMNS = [
    *("year", "month", "day", "hour", "minute", "time_hour"),
    *("carrier", "flight", "origin", "dest", "tailnum", "distance", "dep_delay"),
]


def clean_flights(raw: pd.DataFrame) -> pd.DataFrame:
    """One row a scheduled flight with its departure in UTC; shape and order of `FLIGHTS`.

    UTC because local hours repeat on the night that clocks go back.
    """
    hour = pd.to_datetime(raw["time_hour"], utc=True)
    flights = raw.assign(
        scheduled=hour + pd.to_timedelta(raw["minute"], unit="min"),
        day=pd.to_datetime(raw[["year", "month", "day"]]).dt.date,
        minute_of_day=raw["hour"] * 60 + raw["minute"],
        dep_delay=raw["dep_delay"].astype("Int16"),
    )
    return conform(flights, FLIGHTS, KEY)


def clean_weather(raw: pd.DataFrame, max_wind_speed: float) -> pd.DataFrame:
    """One row an origin and hour; wind speeds (mph) that cannot be are dropped, not guessed."""
    weather = raw.assign(
        hour=pd.to_datetime(raw["time_hour"], utc=True),
        wind_speed=raw["wind_speed"].where(raw["wind_speed"] <= max_wind_speed),
    )
    return conform(weather, WEATHER, ["origin", "hour"])


def clean_planes(raw: pd.DataFrame) -> pd.DataFrame:
    """One row an aircraft."""
    planes = raw.assign(year=raw["year"].astype("Int16"))
    return conform(planes, PLANES, ["tailnum"])


def clean_origins(raw: pd.DataFrame) -> pd.DataFrame:
    """The names of the three origins."""
    origins = raw[raw["faa"].isin(ORIGINS)].rename(columns={"faa": "origin"})
    return conform(origins, ORIGIN_NAMES, ["origin"])


def main(raw: Path, interim: Path, params: Path = Path("params.yaml")) -> None:
    """Read the raw tables in the folder RAW and write the typed ones to the folder INTERIM."""
    max_wind_speed = Clean.read(params).max_wind_speed
    flights = read_raw(raw, "flights", FLIGHT_COLUMNS)
    with complete_or_absent(interim / "flights") as folder:
        for month, rows in flights.groupby("month", sort=True):
            write_parquet(clean_flights(rows), FLIGHTS, folder / f"2013-{month:02d}.parquet")
    weather = clean_weather(read_raw(raw, "weather"), max_wind_speed)
    write_parquet(weather, WEATHER, interim / "weather.parquet")
    write_parquet(clean_planes(read_raw(raw, "planes")), PLANES, interim / "planes.parquet")
    origins = clean_origins(read_raw(raw, "airports"))
    write_parquet(origins, ORIGIN_NAMES, interim / "origins.parquet")


if __name__ == "__main__":
    run_stage(main)
