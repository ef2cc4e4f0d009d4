from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dvc_bucket.stages import StageError, read_json

from pipeline.params import Validate
from pipeline.raw import FILES, read_raw
from pipeline.validate import validate
from tests.pipeline_tools import (
    PARAMS,
    changed_params,
    one_line_failure,
    raw_folder,
    raw_tables,
    run_here,
    small_raw_tables,
    write_raw,
)

TOLERATED = Validate.read(PARAMS).tolerated

#: Checks that take several tables.
ACROSS = {
    *("in_airlines", "is_the_scheduled_local_hour", "is_dep_time_less_schedule", "if_delay_known"),
}


def with_first(table: str, **values: Any) -> dict[str, pd.DataFrame]:
    """The small raw tables with other values in the first row of one of them."""
    tables = dict(small_raw_tables())
    rows = tables[table].copy()
    for column, value in values.items():
        rows.loc[0, column] = value
    return tables | {table: rows}


def with_changed(table: str, change: Any) -> dict[str, pd.DataFrame]:
    """The small raw tables, one of them passed through `change`."""
    tables = small_raw_tables()
    return tables | {table: change(tables[table])}


def twice(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([rows, rows.iloc[:1]], ignore_index=True)


def test_the_real_data_breaks_exactly_what_is_tolerated() -> None:
    found = validate(raw_tables(), dict.fromkeys(TOLERATED, 10**6))
    assert found == TOLERATED
    # The oddities that are on record, each by its number:
    assert found["flights.dep_delay.is_present"] == 8255  # cancelled
    assert found["flights.arr_delay.if_departed"] == 1175  # diverted
    assert found["flights.tailnum.in_planes"] == 52606
    assert found["flights.dest.in_airports"] == 7602
    assert found["flights.time_hour.in_weather"] == 1556
    assert found["weather.time_hour.every_hour_of_the_year"] == 75
    midnights = [f"flights.{time}_time.midnight_is_0" for time in ("dep", "arr")]
    assert sum(found[name] for name in midnights) == 179
    assert found["weather.pressure.is_present"] == 2729
    assert found["weather.wind_gust.is_present"] == 20778
    assert found["planes.year.is_present"] == 70
    assert found["weather.wind_speed.between_0_and_200"] == 1


@pytest.mark.parametrize(
    ("tables", "table", "column", "check", "count"),
    [
        (lambda: with_first("flights", origin="BOS"), "flights", "origin", "is_new_york", 1),
        (
            lambda: with_changed("flights", twice),
            *("flights", "time_hour+carrier+flight", "is_unique", 2),
        ),
        (lambda: with_changed("planes", twice), "planes", "tailnum", "is_unique", 2),
        (
            lambda: with_changed("flights", lambda rows: rows.drop(columns="origin")),
            *("flights", "origin", "column_in_dataframe", 1),
        ),
        (
            lambda: with_changed("weather", lambda rows: rows.assign(snow=0.0)),
            *("weather", "snow", "column_in_schema", 1),
        ),
        (
            lambda: with_first("flights", dep_delay=3.0),
            *("flights", "dep_delay", "is_dep_time_less_schedule", 1),
        ),
        (
            lambda: with_first("flights", time_hour="2013-01-01T11:00:00Z"),
            *("flights", "time_hour", "is_the_scheduled_local_hour", 1),
        ),
        (
            lambda: with_first("flights", time_hour="2013-02-30T10:00:00Z"),
            *("flights", "time_hour", "is_utc_hour", 1),
        ),
        (
            lambda: with_first("weather", time_hour="2013-01-01 06:00"),
            *("weather", "time_hour", "is_utc_hour", 1),
        ),
        (lambda: with_first("flights", month=13), "flights", "month", "between_1_and_12", 1),
        (lambda: with_first("flights", dep_time=1260.0), "flights", "dep_time", "is_clock_time", 1),
        (lambda: with_first("flights", dep_time=None), "flights", "dep_time", "if_delay_known", 1),
        (lambda: with_first("flights", carrier="ZZ"), "flights", "carrier", "in_airlines", 1),
        (lambda: with_first("flights", carrier=None), "flights", "carrier", "is_present", 1),
    ],
)
def test_a_fault_is_named_with_table_column_check_and_count(
    tables: Any, table: str, column: str, check: str, count: int
) -> None:
    broken = tables()
    if check not in ACROSS:
        broken = {table: broken[table]}
    with pytest.raises(StageError) as error:
        validate(broken, TOLERATED)
    message = f"table {table}, column {column}, check {check}: {count} violations (0 tolerated)"
    assert message in str(error.value)


def test_one_violation_more_than_tolerated_stops_the_run() -> None:
    tables = small_raw_tables()
    found = validate(tables, TOLERATED)
    assert validate(tables, found) == found
    for name in ("planes.year.is_present", "flights.tailnum.in_planes"):
        fewer = found[name] - 1
        with pytest.raises(StageError, match=f"{fewer + 1} violations .{fewer} tolerated"):
            validate(tables, found | {name: fewer})


def test_the_script_writes_what_it_found_and_what_was_tolerated(tmp_path: Path) -> None:
    report = tmp_path / "validation.json"
    result = run_here("validate.py", write_raw(tmp_path / "raw", small_raw_tables()), report)
    assert result.returncode == 0, result.stderr
    content = read_json(report)
    assert content["rows"]["flights"] == 842
    assert content["columns"]["flights"] == 19
    assert content["cancelled"] == 4
    assert content["violations"]["flights.dep_delay.is_present"] == {"found": 4, "tolerated": 8255}


def test_the_script_stops_in_one_line_and_writes_no_report(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "raw", small_raw_tables())
    fewer = TOLERATED | {"planes.year.is_present": 69}
    params = changed_params(tmp_path / "params.yaml", {"validate": {"tolerated": fewer}})
    result = run_here("validate.py", raw, tmp_path / "report.json", "--params", params)
    message = one_line_failure(result)
    assert "table planes, column year, check is_present: 70 violations (69 tolerated)" in message
    assert not (tmp_path / "report.json").exists()


@pytest.mark.parametrize(
    ("column", "type_", "value"),
    [
        ("distance", "int64", "far"),
        ("distance", "int64", "1400.5"),
        ("distance", "int64", ""),
        ("dep_delay", "float64", "late"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(
    tmp_path: Path, column: str, type_: str, value: str
) -> None:
    tables = with_changed("flights", lambda rows: rows.astype({column: "object"}))
    tables["flights"].loc[[2, 5], column] = value
    with pytest.raises(StageError) as error:
        read_raw(write_raw(tmp_path / "raw", tables), "flights")
    assert str(tmp_path / "raw" / "flights.csv.zip") in str(error.value)
    assert f"column {column}, check is_{type_}: 2 violations, the first in row 3" in str(
        error.value
    )


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        ("flights", slice(0)),
        ("flights", slice(-30)),
        ("flights", slice(1, None)),
        ("airlines", slice(0)),
        ("airlines", slice(len("carrier,name\n"))),
        ("airlines", slice(1, None)),
    ],
)
def test_a_file_that_is_not_whole_is_named(tmp_path: Path, table: str, kept: slice) -> None:
    path = tmp_path / FILES[table]
    path.write_bytes((raw_folder() / FILES[table]).read_bytes()[kept])
    with pytest.raises(StageError, match=path.name):
        read_raw(tmp_path, table, ["carrier"])


@pytest.mark.parametrize("table", FILES)
def test_a_file_whose_bytes_were_flipped_is_named(tmp_path: Path, table: str) -> None:
    path = tmp_path / FILES[table]
    content = bytearray((raw_folder() / FILES[table]).read_bytes())
    content[1000 % len(content)] ^= 0x80  # no text in UTF-8, no zip of this checksum
    path.write_bytes(content)
    with pytest.raises(StageError, match=path.name):
        read_raw(tmp_path, table)
