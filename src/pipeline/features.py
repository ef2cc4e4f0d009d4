"""Typed tables to features: for each departed flight, what was known an hour before it.

Nothing from the flight's own future enters: the airport's state is read `lead_minutes` before the
scheduled departure, and only from departures that had happened by then. The weather is that of
the scheduled hour as observed; a forecast would be a little worse.
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from dvc_bucket.stages import (
    ResumableFolder,
    StageError,
    map_partitions,
    read_parquet,
    resumable,
    run_stage,
    unfinished,
    write_parquet,
)

from pipeline.params import Features
from pipeline.schemas import WEATHER_VALUES, features_schema, knock_on_values

#: Minutes after which an overdue flight no longer counts as waiting; by then it is cancelled or an
#: exception, and which of the two lies in its future.
WAITING_MINUTES = 180

#: Minutes; the validation lets no longer delay pass (the longest on record: 1,301).
LONGEST_DELAY = 24 * 60


#: Of the flights before a partition, all that the airport's state is made from.
KNOWN = ["scheduled", "origin", "dep_delay"]


class Month(NamedTuple):
    """A partition: a month's flights, those of the month before (None: the first), and the rest."""

    flights: Path
    before: Path | None
    weather: Path
    planes: Path
    output: Path


def minutes(times: "pd.Series[pd.Timestamp]") -> np.ndarray:
    """Whole minutes since 1970 UTC."""
    return times.dt.tz_localize(None).to_numpy("datetime64[m]").astype(np.int64)


def halo(params: Features) -> pd.Timedelta:
    """How long before a partition a flight can be scheduled and still be in its look-back."""
    longest = max([*params.window_minutes, WAITING_MINUTES])
    return pd.Timedelta(minutes=params.lead_minutes + longest + LONGEST_DELAY)


def airport_state(known: pd.DataFrame, moments: np.ndarray, params: Features) -> pd.DataFrame:
    """The state of one origin at each of `moments` (minutes UTC), from what had happened by then.

    Args:
        known: flights of one origin, cancelled ones (null `dep_delay`) included.
        moments: shape (n,).
        params: window lengths and the definition of late.

    Returns:
        n rows: for each window that ends at the moment, how many flights departed, their mean
        delay (minutes) and the share that was late, null where none departed; and how many flights
        of the last `WAITING_MINUTES` were scheduled but had not departed.
    """
    scheduled = minutes(known["scheduled"])
    flown = known["dep_delay"].notna().to_numpy()
    delay = known["dep_delay"].to_numpy()[flown].astype(np.int64)
    departed = scheduled[flown] + delay
    order = np.argsort(departed, kind="stable")
    departed, delay = departed[order], delay[order]
    # Sums over any window are differences of running sums; in integers they are exact.
    total = np.concatenate([[0], np.cumsum(delay)])
    late = np.concatenate([[0], np.cumsum(delay >= params.late_minutes)])

    state = {}
    end = np.searchsorted(departed, moments, side="right")
    for window in params.window_minutes:
        start = np.searchsorted(departed, moments - window, side="right")
        count = end - start
        some = np.where(count > 0, count, 1)
        state[f"departures_{window}"] = count.astype(np.float64)
        state[f"mean_delay_{window}"] = np.where(count, (total[end] - total[start]) / some, np.nan)
        state[f"late_share_{window}"] = np.where(count, (late[end] - late[start]) / some, np.nan)

    # A flight waits from its schedule until it departs; early ones (departed first) never do.
    until = scheduled + WAITING_MINUTES
    until[flown] = np.clip(
        scheduled[flown] + known["dep_delay"].to_numpy()[flown].astype(np.int64),
        scheduled[flown],
        until[flown],
    )
    begun = np.searchsorted(np.sort(scheduled), moments, side="right")
    ended = np.searchsorted(np.sort(until), moments, side="right")
    state["waiting"] = (begun - ended).astype(np.float64)
    return pd.DataFrame(state)[knock_on_values(params.window_minutes)]


def with_airport_state(
    flights: pd.DataFrame, known: pd.DataFrame, params: Features
) -> pd.DataFrame:
    """Add to each flight its origin's state `lead_minutes` before its scheduled departure."""
    moments = minutes(flights["scheduled"]) - params.lead_minutes
    names = knock_on_values(params.window_minutes)
    state = np.empty((len(flights), len(names)))
    for origin in flights["origin"].unique():
        rows = (flights["origin"] == origin).to_numpy()
        state[rows] = airport_state(known[known["origin"] == origin], moments[rows], params)
    return pd.concat([flights, pd.DataFrame(state, flights.index, names)], axis=1)


def with_weather(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Add the weather of the origin in the scheduled hour; null where there is no record."""
    hour = flights["scheduled"].dt.floor("h")
    return flights.assign(hour=hour).merge(
        weather, on=["origin", "hour"], how="left", validate="many_to_one"
    )


def with_aircraft(flights: pd.DataFrame, planes: pd.DataFrame) -> pd.DataFrame:
    """Add the aircraft's description; null where the aircraft is not known."""
    joined = flights.merge(planes, on="tailnum", how="left", validate="many_to_one")
    year = joined["day"].dt.year
    return joined.assign(age=year - joined["year"])


def build_features(
    flights: pd.DataFrame,
    before: pd.DataFrame,
    weather: pd.DataFrame,
    planes: pd.DataFrame,
    params: Features,
) -> pd.DataFrame:
    """Features of the departed among `flights`, given the flights of the `halo` before them.

    Returns:
        One row a departed flight, in the order of `flights`, with the columns of
        `schemas.features_schema`. Cancelled flights shape the airport's state but get no row:
        whether they would have been late is not known.
    """
    known = pd.concat([before[KNOWN], flights[KNOWN]], ignore_index=True)
    features = with_airport_state(flights[flights["dep_delay"].notna()], known, params)
    features = with_aircraft(with_weather(features, weather), planes)
    return features.assign(
        late=features["dep_delay"] >= params.late_minutes,
        weekday=features["day"].dt.day_of_week,
    )


def build_month(month: Month, params: Features) -> None:
    """Write the features of one month."""
    flights = read_parquet(month.flights)
    before = flights.iloc[:0][KNOWN]
    if month.before is not None:
        before = read_parquet(month.before, KNOWN)
        before = before[before["scheduled"] >= flights["scheduled"].min() - halo(params)]
    weather = read_parquet(month.weather, ["origin", "hour", *WEATHER_VALUES])
    features = build_features(flights, before, weather, read_parquet(month.planes), params)
    write_parquet(features, features_schema(params.window_minutes), month.output)


def months(interim: Path, folder: ResumableFolder) -> dict[str, Month]:
    """The partitions in the order of time, by year and month.

    Raises:
        StageError: there are no flights.
    """
    files = sorted((interim / "flights").glob("*.parquet"))
    if not files:
        raise StageError(f"{interim / 'flights'}: no flights there. Run `dvc repro clean`.")
    found = {}
    for before, file in zip([None, *files], files, strict=False):
        weather, planes = interim / "weather" / file.name, interim / "planes.parquet"
        inputs = [path for path in (file, before, weather, planes) if path]
        output = folder.file(file.name, inputs)
        found[file.stem] = Month(file, before, weather, planes, output)
    return found


def main(interim: Path, output: Path, params: Path = Path("params.yaml")) -> None:
    """Read the tables in the folder INTERIM and write one file a month to the folder OUTPUT."""
    settings = Features.read(params)
    with resumable(output, settings) as folder:
        partitions = months(interim, folder)
        build = partial(build_month, params=settings)
        map_partitions(build, unfinished(partitions), label="features", seconds=0.1)
        rows = sum(pq.read_metadata(month.output).num_rows for month in partitions.values())
    print(f"{rows:,} departed flights in {len(partitions)} months")


if __name__ == "__main__":
    run_stage(main)
