"""The tables between the stages: columns, types, units, and the models' names, in one place."""

import pyarrow as pa

#: Of the flights; with `scale.copies` above 1, the years that follow repeat it.
YEAR = 2013

#: Its files of a table by month. Models are fitted and figures made of it alone: a copy of a flight
#: tells nothing new.
FIRST_YEAR = f"{YEAR}-*.parquet"

MINUTE_UTC = pa.timestamp("ms", tz="UTC")

#: Weather at an origin in one hour: degrees Fahrenheit, percent, degrees, miles per hour, inches,
#: millibar, miles.
WEATHER_VALUES = [
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
]

#: A flight that was scheduled to leave New York; sorted by and unique in the first three columns.
FLIGHTS = pa.schema(
    [
        ("scheduled", MINUTE_UTC),  # departure by the schedule
        ("carrier", pa.string()),
        ("flight", pa.int32()),
        ("origin", pa.string()),
        ("dest", pa.string()),
        ("tailnum", pa.string()),  # null: not recorded
        ("distance", pa.int32()),  # statute miles
        ("day", pa.date32()),  # local date of the scheduled departure
        ("minute_of_day", pa.int16()),  # local time of the scheduled departure
        ("dep_delay", pa.int16()),  # minutes, negative: early; null: cancelled
    ]
)

#: Sorted by and unique in origin and hour.
WEATHER = pa.schema(
    [("origin", pa.string()), ("hour", MINUTE_UTC), *((c, pa.float32()) for c in WEATHER_VALUES)]
)

#: Sorted by and unique in tailnum.
PLANES = pa.schema(
    [
        ("tailnum", pa.string()),
        ("year", pa.int16()),  # of manufacture; null: not known
        ("manufacturer", pa.string()),
        ("engine", pa.string()),
        ("engines", pa.int8()),
        ("seats", pa.int16()),
    ]
)

#: Sorted by and unique in origin: the three airports' names.
ORIGINS = pa.schema([("origin", pa.string()), ("name", pa.string())])

KEY = ["scheduled", "carrier", "flight"]
SCHEDULE_VALUES = ["origin", "carrier", "dest", "weekday", "minute_of_day", "distance"]
AIRCRAFT_VALUES = ["age", "seats", "engines", "manufacturer", "engine"]


#: In the order of the question: each set holds the one before it.
FEATURE_SETS = ["schedule", "weather", "knock_on", "aircraft"]

BASELINES = ["constant", "history", "logistic"]
MODELS = BASELINES + FEATURE_SETS


#: What every table of departed flights begins with: the key, the local date, what is asked.
OUTCOME = [
    ("scheduled", MINUTE_UTC),
    ("carrier", pa.string()),
    ("flight", pa.int32()),
    ("day", pa.date32()),
    ("late", pa.bool_()),
]


def knock_on_values(window_minutes: list[int]) -> list[str]:
    """Names of the columns that describe the airport's state, for the given look-back windows."""
    per_window = ("departures", "mean_delay", "late_share")
    return [f"{name}_{window}" for window in window_minutes for name in per_window] + ["waiting"]


def features_schema(window_minutes: list[int]) -> pa.Schema:
    """One departed flight: key, what is asked (`late`), and what is known an hour before."""
    return pa.schema(
        [
            *OUTCOME,
            # the schedule
            ("origin", pa.string()),
            ("dest", pa.string()),
            ("weekday", pa.int8()),  # Monday: 0
            ("minute_of_day", pa.int16()),
            ("distance", pa.int32()),
            # the weather of the scheduled hour
            *((name, pa.float32()) for name in WEATHER_VALUES),
            # the airport's state
            *((name, pa.float32()) for name in knock_on_values(window_minutes)),
            # the aircraft
            ("age", pa.float32()),  # years
            ("seats", pa.float32()),
            ("engines", pa.float32()),
            ("manufacturer", pa.string()),
            ("engine", pa.string()),
        ]
    )


def predictions_schema(models: list[str]) -> pa.Schema:
    """One flight of the test months: key, outcome, and each model's probability of `late`."""
    return pa.schema(
        [
            *OUTCOME,
            *((model, pa.float64()) for model in models),
        ]
    )
