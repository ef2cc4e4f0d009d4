"""The mean of each site: numbers for a review, and a page with a figure."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from dvc_bucket.stages import Params, read_parquet, run_stage, write_json, write_text
from pydantic import Field

from pipeline.page import page


class Summary(Params):
    """Which sites have a mean."""

    #: Days that a site must have.
    min_days: Annotated[int, Field(ge=1)]


def summary(measured: pd.DataFrame, params: Summary) -> pd.DataFrame:
    """Mean temperature (degrees Celsius) and number of days of each site that has enough days."""
    sites = measured.groupby("site")["celsius"].agg(["mean", "size"])
    sites.columns = pd.Index(["celsius", "days"])
    return sites[sites["days"] >= params.min_days].sort_index()


def main(cleaned: Path, numbers: Path, report: Path, params: Path = Path("params.yaml")) -> None:
    """Read CLEANED (Parquet) and write NUMBERS (JSON) and REPORT (HTML)."""
    sites = summary(read_parquet(cleaned), Summary.read(params))
    write_json(sites.to_dict(orient="index"), numbers)
    write_text(page(sites), report)


if __name__ == "__main__":
    run_stage(main)
