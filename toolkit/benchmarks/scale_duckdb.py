"""The features of all flights by duckdb."""

from pathlib import Path
from string import Template

import duckdb
from pipeline.features import WAITING_MINUTES
from pipeline.params import Features
from pipeline.schemas import WEATHER_VALUES, features_schema

#: Temporary tables where the planner's own way, of one statement, took minutes: duckdb looks up "as
#: of" fast where the rows that it carries are narrow.
SQL = """
SET TimeZone = 'UTC';

CREATE VIEW flights AS SELECT * FROM '$interim/flights/*.parquet';

CREATE VIEW departed AS SELECT * FROM flights WHERE dep_delay IS NOT NULL;

CREATE TEMP TABLE running AS
SELECT origin, moment, sum(number) OVER upto AS number, sum(total) OVER upto AS total,
       sum(late) OVER upto AS late, sum(waiting) OVER upto AS waiting
FROM (SELECT origin, moment, sum(number)::INT AS number, sum(total)::INT AS total,
             sum(late)::INT AS late, sum(waiting)::INT AS waiting
      FROM (SELECT origin, scheduled + to_minutes(dep_delay) AS moment, 1 AS number,
                   dep_delay AS total, ($is_late)::INT AS late, 0 AS waiting
            FROM departed
            UNION ALL SELECT origin, scheduled, 0, 0, 0, 1 FROM flights
            UNION ALL SELECT origin, scheduled + to_minutes(
                coalesce(greatest(0, least(dep_delay, $waits)), $waits)
            ), 0, 0, 0, -1 FROM flights)
      GROUP BY origin, moment)
WINDOW upto AS (PARTITION BY origin ORDER BY moment);

CREATE TEMP TABLE state AS
SELECT asked.origin, asked.scheduled, at_$lead.waiting, $found
FROM (SELECT DISTINCT origin, scheduled, $asked FROM departed) AS asked $joins;

COPY (
    SELECT $columns FROM departed JOIN state USING (origin, scheduled)
    LEFT JOIN '$interim/weather/*.parquet' AS weather
    ON weather.origin = departed.origin AND hour = date_trunc('hour', departed.scheduled)
    LEFT JOIN '$interim/planes.parquet' AS planes ON planes.tailnum = departed.tailnum
    ORDER BY departed.scheduled, carrier, flight
) TO '$output' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3);
"""

#: The state of the origin at so many minutes before the schedule.
JOIN = """ASOF LEFT JOIN running AS at_$minutes
ON asked.origin = at_$minutes.origin AND asked_$minutes >= at_$minutes.moment"""

SUMS = ("number", "total", "late")


def make(interim: Path, output: Path, params: Features) -> None:
    """Read the tables in the folder INTERIM, write the Parquet file OUTPUT."""
    lead, is_late = params.lead_minutes, f"dep_delay >= {params.late_minutes}"
    before = [lead, *(lead + window for window in params.window_minutes)]
    words = {
        "interim": interim,
        "output": output,
        "is_late": is_late,
        "waits": WAITING_MINUTES,
        "lead": lead,
        "asked": ", ".join(f"scheduled - INTERVAL {m} MINUTE AS asked_{m}" for m in before),
        "found": ", ".join(f"at_{m}.{name} AS {name}_{m}" for m in before for name in SUMS),
        "joins": " ".join(Template(JOIN).substitute(minutes=minutes) for minutes in before),
        "columns": _columns(params, is_late),
    }
    duckdb.connect().execute(Template(SQL).substitute(words))


def _columns(params: Features, is_late: str) -> str:
    lead = params.lead_minutes
    made = {
        "late": is_late,
        "weekday": "(isodow(day) - 1)::TINYINT",
        "age": "(year(day) - year)::FLOAT",
        "seats": "seats::FLOAT",
        "engines": "engines::FLOAT",
        "manufacturer": "manufacturer",
        "engine": "engine",
        "waiting": "coalesce(waiting, 0)::FLOAT",
        **{name: name for name in WEATHER_VALUES},
    }
    for window in params.window_minutes:
        number, total, late = (
            f"(coalesce({name}_{lead}, 0) - coalesce({name}_{lead + window}, 0))" for name in SUMS
        )
        made[f"departures_{window}"] = f"{number}::FLOAT"
        made[f"mean_delay_{window}"] = f"({total} / nullif({number}, 0))::FLOAT"
        made[f"late_share_{window}"] = f"({late} / nullif({number}, 0))::FLOAT"
    names = features_schema(params.window_minutes).names
    return ", ".join(f"{made.get(name, f'departed.{name}')} AS {name}" for name in names)
