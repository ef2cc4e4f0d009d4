"""The features of all flights by polars: lazy frames, run by its streaming engine."""

from pathlib import Path

import polars as pl
from pipeline.features import WAITING_MINUTES
from pipeline.params import Features
from pipeline.schemas import features_schema

scheduled, delay, one = pl.col("scheduled"), pl.col("dep_delay").cast(pl.Int64), pl.lit(1)

SUMS = ("number", "total", "late")


def make(interim: Path, output: Path, params: Features) -> None:
    """Read the tables in the folder INTERIM, write the Parquet file OUTPUT."""
    flights = pl.scan_parquet(interim / "flights" / "*.parquet")
    weather = pl.scan_parquet(interim / "weather" / "*.parquet")
    planes = pl.scan_parquet(interim / "planes.parquet")
    is_late = delay >= params.late_minutes
    (
        with_airport_state(flights, is_late, params)
        .with_columns(hour=scheduled.dt.truncate("1h"))
        .join(weather, on=["origin", "hour"], how="left", maintain_order="left")
        .join(planes, on="tailnum", how="left", maintain_order="left")
        .with_columns(
            late=is_late,
            weekday=pl.col("day").dt.weekday() - 1,
            age=(pl.col("day").dt.year() - pl.col("year")).cast(pl.Float32),
            seats=pl.col("seats").cast(pl.Float32),
            engines=pl.col("engines").cast(pl.Float32),
        )
        .select(features_schema(params.window_minutes).names)
        .sink_parquet(output, compression="zstd", compression_level=3, engine="streaming")
    )


def with_airport_state(flights: pl.LazyFrame, is_late: pl.Expr, params: Features) -> pl.LazyFrame:
    """The departed flights, each with its origin's state so long before its schedule."""
    departed = flights.filter(delay.is_not_null())
    moment = scheduled + pl.duration(minutes=delay)
    sums = running(
        departed.select("origin", moment=moment, number=one, total=delay, late=is_late.cast(int))
    )
    waits = delay.clip(0, WAITING_MINUTES).fill_null(WAITING_MINUTES)
    begun = flights.select("origin", moment=scheduled, waiting=one)
    ended = flights.select("origin", moment=scheduled + pl.duration(minutes=waits), waiting=-one)
    lead = params.lead_minutes
    rows = as_of(departed, running(pl.concat([begun, ended])), lead).drop(f"moment_{lead}")
    rows = as_of(rows, sums, lead)
    state = {"waiting": pl.col(f"waiting_{lead}")}
    for window in params.window_minutes:
        rows = as_of(rows, sums, lead + window)
        number, total, late = (
            pl.col(f"{name}_{lead}") - pl.col(f"{name}_{lead + window}") for name in SUMS
        )
        some = pl.when(number > 0).then(number)
        state[f"departures_{window}"] = number
        state[f"mean_delay_{window}"] = total / some
        state[f"late_share_{window}"] = late / some
    return rows.with_columns(**{name: value.cast(pl.Float32) for name, value in state.items()})


def running(events: pl.LazyFrame) -> pl.LazyFrame:
    """Sums by origin, up to and with each moment."""
    moments = events.group_by("origin", "moment").agg(pl.all().sum()).sort("origin", "moment")
    sums = pl.exclude("origin", "moment").cum_sum().over("origin")
    return moments.with_columns(sums).sort("moment")


def as_of(rows: pl.LazyFrame, sums: pl.LazyFrame, minutes: int) -> pl.LazyFrame:
    """Each row with the sums so many minutes before its schedule, the minutes in their names."""
    found = sums.rename(lambda name: name if name == "origin" else f"{name}_{minutes}")
    names = [name for name in found.collect_schema() if name.endswith(f"_{minutes}")]
    asked = rows.with_columns(asked=scheduled - pl.duration(minutes=minutes))
    joined = asked.join_asof(
        found, left_on="asked", right_on=f"moment_{minutes}", by="origin", check_sortedness=False
    )
    return joined.with_columns(
        pl.col(name).fill_null(0) for name in names if name != f"moment_{minutes}"
    )
