"""The analysis of the small project: its parameters, its table, and a pure function."""

from typing import Annotated

import pandas as pd
import pyarrow as pa
from pydantic import Field

from dvc_bucket.stages import Params

SCHEMA = pa.schema([("n", pa.int64()), ("value", pa.float64())])


class ScaleUp(Params):
    """How much larger values get."""

    factor: Annotated[float, Field(gt=0)]


def scaled_up(rows: pd.DataFrame, before: pd.DataFrame, params: ScaleUp) -> pd.DataFrame:
    """The values of `rows`, scaled up, above the last value of the rows before."""
    last = before["value"].iloc[-1] if len(before) else 0.0
    return rows.assign(value=last + rows["value"] * params.factor)
