"""The schema that each raw table promises to keep: the checks of its columns, and its key."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pandera.pandas as pa

from pipeline.raw import ORIGINS, TYPES, UTC_FORMAT


def _check(name: str, holds: Callable[["pd.Series[Any]"], "pd.Series[bool]"]) -> pa.Check:
    """A named check: pandera reports its own built-in ones under names of their own making."""
    return pa.Check(holds, name=name)


def _between(low: float, high: float) -> pa.Check:
    return _check(f"between_{low:g}_and_{high:g}", lambda values: values.between(low, high))


def _one_of(name: str, allowed: list[Any]) -> pa.Check:
    return _check(name, lambda values: values.isin(allowed))


def _matches(name: str, pattern: str) -> pa.Check:
    return _check(name, lambda values: values.str.fullmatch(pattern))


_CLOCK = [
    _check("is_clock_time", lambda hhmm: hhmm.between(0, 2400) & (hhmm % 100 < 60)),
    _check("midnight_is_0", lambda hhmm: hhmm < 2400),
]
_UTC_HOUR = _check(
    "is_utc_hour",
    lambda hours: (
        hours.str.fullmatch(r"201[34]-\d\d-\d\dT\d\d:00:00Z")
        & pd.to_datetime(hours, format=UTC_FORMAT, errors="coerce").notna()
    ),
)
_AIRPORT = _matches("is_airport_code", "[A-Z0-9]{3}")
_CARRIER = _matches("is_carrier_code", "[A-Z0-9]{2}")
_ORIGIN = _one_of("is_new_york", ORIGINS)

_DATE = {
    "year": _one_of("is_2013", [2013]),
    "month": _between(1, 12),
    "day": _between(1, 31),
}

#: The checks of each column; one without checks has only its type.
CHECKS = {
    "flights": {
        **_DATE,
        "dep_time": _CLOCK,
        "sched_dep_time": _CLOCK,
        "dep_delay": _between(-60, 1440),
        "arr_time": _CLOCK,
        "sched_arr_time": _CLOCK,
        "arr_delay": _between(-120, 1440),
        "carrier": _CARRIER,
        "flight": _between(1, 9999),
        "tailnum": _matches("is_tail_number", "[A-Z0-9]{5,6}"),
        "origin": _ORIGIN,
        "dest": _AIRPORT,
        "air_time": _between(10, 800),
        "distance": _between(10, 6000),
        "hour": _between(0, 23),
        "minute": _between(0, 59),
        "time_hour": _UTC_HOUR,
    },
    "weather": {
        **_DATE,
        "origin": _ORIGIN,
        "hour": _between(0, 23),
        "temp": _between(-40, 130),
        "dewp": _between(-60, 100),
        "humid": _between(0, 100),
        "wind_dir": _between(0, 360),
        "wind_speed": _between(0, 200),
        "wind_gust": _between(0, 200),
        "precip": _between(0, 10),
        "pressure": _between(900, 1100),
        "visib": _between(0, 10),
        "time_hour": _UTC_HOUR,
    },
    "planes": {
        "year": _between(1930, 2013),
        "engines": _between(1, 4),
        "seats": _between(1, 500),
        "speed": _between(50, 700),
    },
    "airports": {
        "faa": _AIRPORT,
        "lat": _between(-90, 90),
        "lon": _between(-180, 180),
        "alt": _between(-500, 15000),
        "tz": _between(-12, 14),
        "dst": _one_of("is_dst_code", ["A", "N", "U"]),
    },
    "airlines": {"carrier": _CARRIER},
}

#: The columns that no two rows share all of.
KEYS = {
    "flights": ["time_hour", "carrier", "flight"],
    "weather": ["origin", "time_hour"],
    "planes": ["tailnum"],
    "airports": ["faa"],
    "airlines": ["carrier"],
}

SCHEMAS = {
    table: pa.DataFrameSchema(
        {name: pa.Column(kind, CHECKS[table].get(name)) for name, kind in types.items()},
        strict=True,
        unique=KEYS[table],
    )
    for table, types in TYPES.items()
}
