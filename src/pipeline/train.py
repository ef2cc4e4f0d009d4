"""Fit every model on the training months, choose on the tuning month, predict the test months.

The output is the predictions, not the fitted models: a pickle is neither the same bytes twice nor
safe to load, and every model is back in seconds by running this stage.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from dvc_bucket.stages import (
    DECIMALS,
    StageError,
    read_parquet,
    run_stage,
    write_json,
    write_parquet,
)
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from pipeline.models import CATEGORIES, Notes, make_model
from pipeline.params import Features, Train
from pipeline.schemas import FIRST_YEAR, KEY, MODELS, knock_on_values, predictions_schema


def split(features: pd.DataFrame, params: Train) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The flights of the training, tuning and test months.

    Raises:
        StageError: months overlap, or one of the three has no flights.
    """
    months = [params.train_months, params.tune_months, params.test_months]
    if len({month for group in months for month in group}) < sum(map(len, months)):
        raise StageError("params.yaml: train, tune and test months overlap; they must be disjoint.")
    month = features["day"].dt.month
    parts = [features[month.isin(group)] for group in months]
    for part, group in zip(parts, months, strict=True):
        if part.empty or part["late"].nunique() < 2:
            raise StageError(f"months {group}: no flights, or all alike; nothing can be learnt.")
    return parts[0], parts[1], parts[2]


def fit_all(
    train: pd.DataFrame, tune: pd.DataFrame, test: pd.DataFrame, knock_on: list[str], params: Train
) -> tuple[pd.DataFrame, dict[str, Notes]]:
    """Fit every model and predict `test`.

    Returns:
        `test`'s rows with a column of probabilities a model, and how each model was chosen.
    """

    def fit_and_predict(name: str) -> tuple[Notes, np.ndarray]:
        # One thread of OpenMP for each model, set in the thread that uses it: the sums of trees
        # and the time that idle threads spin would depend on their number.
        with threadpool_limits(1, user_api="openmp"):
            model = make_model(name, knock_on, params)
            return model.fit(train, tune), model.predict(test).round(DECIMALS)

    # The largest models start first, so that no core waits for one of them at the end.
    names = MODELS[::-1]
    # As a category, the carrier would sort by its first appearance.
    predictions = test[[*KEY, "day", "late"]].astype({"carrier": "str"})
    # BLAS sums in blocks that depend on its number of threads.
    with threadpool_limits(1, user_api="blas"):
        fits = Parallel(n_jobs=-1, backend="threading", return_as="generator")(
            delayed(fit_and_predict)(name) for name in names
        )
        progress = tqdm(fits, desc="train", total=len(names), disable=None, leave=False)
        fitted = dict(zip(names, progress, strict=True))
    notes = {name: fitted[name][0] for name in MODELS}
    predictions = predictions.assign(**{name: fitted[name][1] for name in MODELS})
    return predictions.sort_values(KEY), notes


def main(
    features: Path, predictions: Path, report: Path, params: Path = Path("params.yaml")
) -> None:
    """Read the folder FEATURES; write PREDICTIONS (Parquet) and a REPORT of what was chosen."""
    settings = Train.read(params)
    knock_on = knock_on_values(Features.read(params).window_minutes)
    flights = read_parquet(features, categories=sorted(CATEGORIES), pattern=FIRST_YEAR)
    train, tune, test = split(flights, settings)
    del flights  # the three parts are copies
    table, notes = fit_all(train, tune, test, knock_on, settings)
    write_parquet(table, predictions_schema(MODELS), predictions)
    write_json(notes, report)


if __name__ == "__main__":
    run_stage(main)
