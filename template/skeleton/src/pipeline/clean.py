"""The raw measurements as a typed table, without the readings that cannot be."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import pyarrow as pa
from dvc_bucket.stages import Params, conform, run_stage, write_parquet
from pydantic import Field

MEASUREMENTS = pa.schema([("site", pa.string()), ("day", pa.date32()), ("celsius", pa.float64())])


class Clean(Params):
    """Which readings count."""

    #: Readings above this (degrees Celsius) are faults of the sensor.
    max_celsius: Annotated[float, Field(gt=0)]


def clean(raw: pd.DataFrame, params: Clean) -> pd.DataFrame:
    """The readings that can be true; columns of `MEASUREMENTS`, sorted by site and day."""
    dated = raw.assign(day=pd.to_datetime(raw["day"]))
    return conform(dated[dated["celsius"] <= params.max_celsius], MEASUREMENTS, ["site", "day"])


def main(raw: Path, cleaned: Path, params: Path = Path("params.yaml")) -> None:
    """Read RAW (CSV) and write CLEANED (Parquet)."""
    write_parquet(clean(pd.read_csv(raw), Clean.read(params)), MEASUREMENTS, cleaned)


if __name__ == "__main__":
    run_stage(main)
