"""The features of all flights, made another way, in a process of its own: `scale.py` starts it.

Each way reads the tables that `clean` wrote and writes the rows that `features` makes, sorted by
their key, to one Parquet file. polars and duckdb get what was found to be fast in them: running
sums by origin, and a join "as of" the moments between which a window lies.
"""

import importlib
import sys
from pathlib import Path

from pipeline.features import KNOWN, build_features
from pipeline.params import Features
from pipeline.schemas import features_schema

from dvc_bucket.stages import read_parquet, write_parquet

#: Each way, and the module that has it; pandas is what the stages use, and is here.
WAYS = {
    "pandas at once": __name__,
    "polars streaming": "scale_polars",
    "duckdb": "scale_duckdb",
}


def make(interim: Path, output: Path, params: Features) -> None:
    """The stage's own functions, on the whole tables."""
    flights = read_parquet(interim / "flights")
    weather = read_parquet(interim / "weather")
    planes = read_parquet(interim / "planes.parquet")
    features = build_features(flights, flights.iloc[:0][KNOWN], weather, planes, params)
    write_parquet(features, features_schema(params.window_minutes), output)


if __name__ == "__main__":
    way, interim, output, params = sys.argv[1:]
    module = importlib.import_module(WAYS[way])
    module.make(Path(interim), Path(output), Features.read(Path(params)))
