"""Hold the raw tables against their declared schema and against one another.

Every violation is counted. What `params.yaml` tolerates, by name and number, is known and dealt
with in later stages; anything else stops the run.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.errors
from dvc_bucket.stages import StageError, run_stage, write_json

from pipeline.params import Validate
from pipeline.raw import FILES, ORIGINS, UTC_FORMAT, read_raw
from pipeline.raw_schemas import SCHEMAS

#: Pandera's name for one of its checks, and ours.
RENAMED = {"not_nullable": "is_present"}

#: Violations by `table.column.check`.
Counts = dict[str, int]


def schema_violations(table: str, frame: pd.DataFrame) -> Counts:
    """Count the rows of `frame` that break each check of the table's declared schema."""
    try:
        SCHEMAS[table].validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        whole_table = cases["schema_context"] != "Column"
        check = cases["check"].replace(RENAMED)
        several_columns = check.str.startswith("multiple_fields_uniqueness")
        check = check.mask(several_columns, "is_unique")
        # A column too many or too few is named only as the failing value.
        column = cases["column"].mask(whole_table, cases["failure_case"].astype("str"))
        column = column.mask(several_columns, "+".join(SCHEMAS[table].unique or []))
        rows = cases.assign(name=f"{table}." + column + "." + check)
        # A key of several columns is reported once a column: count rows, not cases.
        return dict(sorted(rows.groupby("name")["index"].nunique(dropna=False).items()))
    return {}


def cross_table_violations(tables: dict[str, pd.DataFrame]) -> Counts:
    """Count what no table can tell alone: keys without a partner, times that disagree."""
    flights, weather = tables["flights"], tables["weather"]
    flown = flights["dep_delay"].notna()
    hours = pd.MultiIndex.from_frame(weather[["origin", "time_hour"]])
    wanted = pd.MultiIndex.from_frame(flights[["origin", "time_hour"]])
    broken: dict[str, pd.Series[bool] | np.ndarray] = {
        "flights.carrier.in_airlines": ~flights["carrier"].isin(tables["airlines"]["carrier"]),
        "flights.dest.in_airports": ~flights["dest"].isin(tables["airports"]["faa"]),
        "flights.tailnum.in_planes": ~flights["tailnum"].isin(tables["planes"]["tailnum"]),
        "flights.time_hour.in_weather": ~wanted.isin(hours),
        "flights.time_hour.is_the_scheduled_local_hour": _local_hour_differs(flights),
        "flights.dep_delay.is_dep_time_less_schedule": _delay_differs(flights) & flown,
        "flights.dep_time.if_delay_known": flights["dep_time"].isna() == flown,
        "flights.arr_delay.if_departed": flown & flights["arr_delay"].isna(),
        "weather.time_hour.every_hour_of_the_year": ~_every_hour(weather).isin(hours),
    }
    return {name: int(rows.sum()) for name, rows in broken.items() if rows.any()}


def _local_hour_differs(flights: pd.DataFrame) -> "pd.Series[bool]":
    """Flights whose UTC hour is not their local date and hour in New York."""
    hour = pd.to_datetime(flights["time_hour"], format=UTC_FORMAT, utc=True, errors="coerce")
    local = hour.dt.tz_convert("America/New_York")
    named = pd.to_datetime(flights[["year", "month", "day", "hour"]], errors="coerce")
    return local.dt.tz_localize(None) != named


def _delay_differs(flights: pd.DataFrame) -> "pd.Series[bool]":
    """Flights whose delay is not the difference of their clock times, give or take whole days."""
    actual = flights["dep_time"] // 100 * 60 + flights["dep_time"] % 100
    schedule = flights["sched_dep_time"] // 100 * 60 + flights["sched_dep_time"] % 100
    return (actual - schedule - flights["dep_delay"]) % (24 * 60) != 0


def _every_hour(weather: pd.DataFrame) -> pd.MultiIndex:
    """The hours from the first to the last record, once for each origin."""
    first, last = weather["time_hour"].min(), weather["time_hour"].max()
    hours = pd.date_range(first, last, freq="h").strftime(UTC_FORMAT)
    return pd.MultiIndex.from_product([ORIGINS, hours])


def check_tolerated(violations: Counts, tolerated: Counts) -> None:
    """Let pass what is tolerated.

    Raises:
        StageError: a check is broken more often than that; the message names table, column, check
            and count.
    """
    excess = {name: n for name, n in violations.items() if n > tolerated.get(name, 0)}
    if excess:
        listed = "; ".join(
            "table {}, column {}, check {}".format(*name.split(".", 2))
            + f": {count:,} violations ({tolerated.get(name, 0):,} tolerated)"
            for name, count in excess.items()
        )
        raise StageError(
            f"the raw data breaks its schema: {listed}. Correct the data, or, once a later stage "
            "deals with it, name it under validate.tolerated in params.yaml."
        )


def validate(tables: dict[str, pd.DataFrame], tolerated: Counts) -> Counts:
    """All violations in the raw tables, by name.

    Raises:
        StageError: there are more than tolerated. What the tables say of one another is looked at
            only when each keeps its own schema.
    """
    alone = {
        name: count
        for table, frame in tables.items()
        for name, count in schema_violations(table, frame).items()
    }
    check_tolerated(alone, tolerated)
    across = cross_table_violations(tables)
    check_tolerated(across, tolerated)
    return alone | across


def main(raw: Path, report: Path, params: Path = Path("params.yaml")) -> None:
    """Check all raw tables in the folder RAW and write what was found to REPORT."""
    tolerated = Validate.read(params).tolerated
    tables = {table: read_raw(raw, table) for table in FILES}
    violations = validate(tables, tolerated)
    content: dict[str, Any] = {
        "rows": {table: len(frame) for table, frame in tables.items()},
        "columns": {table: len(frame.columns) for table, frame in tables.items()},
        "cancelled": int(tables["flights"]["dep_delay"].isna().sum()),
        "violations": {
            name: {"found": count, "tolerated": tolerated[name]}
            for name, count in violations.items()
        },
    }
    write_json(content, report)


if __name__ == "__main__":
    run_stage(main)
