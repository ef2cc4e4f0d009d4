from functools import cache

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from dvc_bucket.stages import conform, read_parquet
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.features import (
    LONGEST_DELAY,
    WAITING_MINUTES,
    airport_state,
    build_features,
    halo,
    minutes,
)
from pipeline.params import Features
from pipeline.schemas import KEY, WEATHER, WEATHER_VALUES, features_schema
from tests.pipeline_tools import FEATURES, features_folder, interim, made_flights, raw_tables

START = pd.Timestamp("2013-06-01T12:00Z")


def minutes_between(low: int, high: int) -> st.SearchStrategy[int]:
    """Every fifth minute, so that many times coincide with one another and with window ends."""
    return st.integers(low // 5, high // 5).map(lambda fifth: 5 * fifth)


#: (minutes from START to the schedule, delay or None: cancelled).
FLIGHTS = st.lists(
    st.tuples(
        minutes_between(0, 400),
        st.none() | minutes_between(-45, 60) | minutes_between(-5, LONGEST_DELAY),
    ),
    max_size=25,
)
MOMENTS = st.lists(minutes_between(-60, 700) | minutes_between(0, 2000), min_size=1, max_size=10)
WINDOWS = st.lists(minutes_between(5, 300), min_size=1, max_size=3, unique=True)


@cache
def weather() -> pd.DataFrame:
    return read_parquet(interim() / "weather", ["origin", "hour", *WEATHER_VALUES])


@cache
def planes() -> pd.DataFrame:
    return read_parquet(interim() / "planes.parquet")


def features_of(flights: pd.DataFrame, params: Features = FEATURES) -> pd.DataFrame:
    """The features of `flights` with nothing known before them."""
    built = build_features(flights, flights.iloc[:0], weather(), planes(), params)
    columns: list[str] = features_schema(params.window_minutes).names
    return built[columns]


def with_windows(windows: list[int]) -> Features:
    return FEATURES.model_copy(update={"window_minutes": windows})


def state_by_hand(
    flights: list[tuple[int, int | None]], moment: int, params: Features
) -> dict[str, float]:
    """What `airport_state` promises, flight by flight."""
    state: dict[str, float] = {}
    flown = [(scheduled + delay, delay) for scheduled, delay in flights if delay is not None]
    for window in params.window_minutes:
        delays = [delay for left, delay in flown if moment - window < left <= moment]
        late = [delay for delay in delays if delay >= params.late_minutes]
        state[f"departures_{window}"] = len(delays)
        state[f"mean_delay_{window}"] = sum(delays) / len(delays) if delays else np.nan
        state[f"late_share_{window}"] = len(late) / len(delays) if delays else np.nan
    state["waiting"] = sum(
        scheduled <= moment < scheduled + WAITING_MINUTES
        and (delay is None or moment < scheduled + delay)
        for scheduled, delay in flights
    )
    return state


@settings(max_examples=150, deadline=None)
@given(FLIGHTS, MOMENTS, WINDOWS)
def test_the_airports_state_is_that_counted_flight_by_flight(
    flights: list[tuple[int, int | None]], moments: list[int], windows: list[int]
) -> None:
    params = with_windows(windows)
    minute = np.array([scheduled for scheduled, _ in flights], dtype="timedelta64[m]")
    delay = np.array([delay for _, delay in flights], dtype=float)
    known = pd.DataFrame({"scheduled": START + pd.to_timedelta(minute), "dep_delay": delay})
    start = int(minutes(pd.Series([START]))[0])
    found = airport_state(known, np.array(moments) + start, params)
    expected = pd.DataFrame([state_by_hand(flights, moment, params) for moment in moments])
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_exact=True)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 5 * 24 * 60), st.randoms(use_true_random=False))
def test_nothing_that_was_not_known_at_the_moment_changes_a_flights_features(
    minute: int, random: np.random.RandomState
) -> None:
    flights = read_parquet(interim() / "flights" / "2013-02.parquet")
    begin = flights["scheduled"].min()
    flights = flights[flights["scheduled"] < begin + pd.Timedelta(days=6)]
    moment = begin + pd.Timedelta(minutes=minute)
    # Whoever had not left by then may leave at any later minute, or never.
    to_go = (moment - flights["scheduled"]).dt.total_seconds() / 60
    unknown = ~(flights["dep_delay"] <= to_go)
    rng = np.random.default_rng(random.randint(0, 10**6))
    other = np.clip(to_go + 1, -60, None) + rng.integers(0, 300, len(flights))
    other = other.mask(rng.random(len(flights)) < 0.2)
    changed = flights.assign(dep_delay=flights["dep_delay"].mask(unknown, other))

    before, after = (
        features_of(flights).drop(columns="late"),
        features_of(changed).drop(columns="late"),
    )
    asked = moment + pd.Timedelta(minutes=FEATURES.lead_minutes)

    def in_both(table: pd.DataFrame, partner: pd.DataFrame, *, known: bool) -> pd.DataFrame:
        rows = table.set_index(KEY)
        early = rows.index.get_level_values("scheduled") <= asked
        chosen = (early == known) & rows.index.isin(partner.set_index(KEY).index)
        both: pd.DataFrame = rows[chosen]
        return both

    pd.testing.assert_frame_equal(
        in_both(before, after, known=True), in_both(after, before, known=True), check_exact=True
    )
    # The test can see: later flights are asked when the change is known.
    assert not in_both(before, after, known=False).equals(in_both(after, before, known=False))


def test_months_built_one_by_one_are_the_whole_year_built_at_once() -> None:
    flights = read_parquet(interim() / "flights")
    pd.testing.assert_frame_equal(
        features_of(flights),
        read_parquet(features_folder()),
        check_dtype=False,
        rtol=1e-6,  # the files hold single precision
    )


@pytest.mark.parametrize("windows", [[1], [60, 180], [7 * 24 * 60]])
def test_the_halo_holds_every_flight_that_a_window_can_need(windows: list[int]) -> None:
    params = with_windows(windows)
    flights = read_parquet(interim() / "flights")
    before = flights[flights["day"].between("2013-02-15", "2013-02-28")]
    month = flights[flights["day"] == "2013-03-01"]
    near = before[before["scheduled"] >= month["scheduled"].min() - halo(params)]
    assert len(near) < len(before)
    partition = build_features(month, near, weather(), planes(), params)
    whole = build_features(month, before, weather(), planes(), params)
    pd.testing.assert_frame_equal(partition, whole, check_exact=True)


def test_the_longest_delay_that_the_validation_lets_pass_fits_in_the_halo() -> None:
    assert raw_tables()["flights"]["dep_delay"].max() == 1301
    assert LONGEST_DELAY >= 1301


def test_every_departed_flight_has_one_row_in_its_month() -> None:
    total = 0
    for file in sorted(features_folder().iterdir()):
        schema = pq.read_schema(file)
        assert schema.equals(features_schema(FEATURES.window_minutes), check_metadata=True)
        flights = read_parquet(interim() / "flights" / file.name, [*KEY, "dep_delay"])
        departed = flights[flights["dep_delay"].notna()].reset_index(drop=True)
        features = read_parquet(file, [*KEY, "late"])
        pd.testing.assert_frame_equal(features[KEY], departed[KEY])
        assert (features["late"] == (departed["dep_delay"] >= FEATURES.late_minutes)).all()
        total += len(features)
    assert total == 328_521


def test_the_weather_is_that_of_the_scheduled_hour_in_utc() -> None:
    # 1:30 at night occurs twice on 3 November: as 5:30 and, after the clocks go back, as 6:30 UTC.
    flights = made_flights(scheduled=["2013-11-03T05:30Z", "2013-11-03T06:30Z"])
    assert flights["minute_of_day"].tolist() == [90, 90]
    hours = conform(weather(), WEATHER, ["origin", "hour"])
    night = hours[(hours["origin"] == "EWR") & (hours["hour"].dt.strftime("%m-%d") == "11-03")]
    night = night[night["hour"].dt.hour.isin([5, 6])].reset_index(drop=True)
    assert night.loc[0, WEATHER_VALUES].tolist() != night.loc[1, WEATHER_VALUES].tolist()
    pd.testing.assert_frame_equal(features_of(flights)[WEATHER_VALUES], night[WEATHER_VALUES])


def test_an_hour_without_a_weather_record_gives_nulls() -> None:
    assert (
        features_of(made_flights(scheduled=["2012-06-01T05:30Z"]))[WEATHER_VALUES]
        .isna()
        .all(axis=None)
    )


def test_an_unknown_aircraft_gives_nulls() -> None:
    flights = made_flights(scheduled=[START] * 3, tailnum=["N14228", "N00000", None])
    aircraft = features_of(flights)[["age", "seats", "engines", "manufacturer", "engine"]]
    assert aircraft.iloc[0].tolist() == [14, 149, 2, "BOEING", "Turbo-fan"]
    assert aircraft.iloc[1:].isna().all(axis=None)


def test_origins_do_not_mix() -> None:
    flights = made_flights(
        scheduled=[START] * 6, origin=["EWR", "JFK"] * 3, dep_delay=[0, 90.0] * 3
    )
    later = made_flights(
        scheduled=[START + pd.Timedelta(hours=3)] * 3,
        flight=[7, 8, 9],
        origin=["EWR", "JFK", "LGA"],
    )
    features = features_of(pd.concat([flights, later], ignore_index=True)).iloc[6:]
    assert features["mean_delay_180"].tolist()[:2] == [0, 90]
    assert features["departures_180"].tolist() == [3, 3, 0]


def test_a_month_of_cancelled_flights_has_no_rows_and_all_columns() -> None:
    cancelled = made_flights(scheduled=[START] * 2, flight=[1, 2], dep_delay=[None] * 2)
    assert features_of(cancelled).empty
