"""Score the predictions of the test months: discrimination, truth of the probabilities, gains."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dvc_bucket.stages import read_parquet, run_stage, write_csv, write_json

from pipeline.params import Evaluate
from pipeline.schemas import FEATURE_SETS, MODELS, predictions_schema
from pipeline.scores import SCORES, DailyScores, calibration, draw_days, interval


def score_models(
    predictions: pd.DataFrame, params: Evaluate
) -> tuple[dict[str, dict[str, float]], dict[str, pd.DataFrame]]:
    """Each model's scores on all test flights, and on every resample of their days.

    Returns:
        Scores by model, and by model a table with a row a resample.
    """
    day, days = pd.factorize(predictions["day"], sort=True)
    late = predictions["late"].to_numpy()
    draws = draw_days(len(days), params.resamples, params.seed)
    every_day_once = np.ones_like(draws[:1])
    exact, resampled = {}, {}
    for model in MODELS:
        daily = DailyScores.of(day, late, predictions[model].to_numpy())
        exact[model] = {str(k): float(v) for k, v in daily.scores(every_day_once).iloc[0].items()}
        resampled[model] = daily.scores(draws)
    return exact, resampled


def with_intervals(
    exact: dict[str, float], resampled: pd.DataFrame, confidence: float
) -> dict[str, float]:
    """Each score with the bounds of its interval as `SCORE_low` and `SCORE_high`."""
    row: dict[str, float] = {}
    for score in SCORES:
        low, high = interval(resampled[score], confidence)
        row |= {score: exact[score], f"{score}_low": low, f"{score}_high": high}
    return row


def evaluate(predictions: pd.DataFrame, params: Evaluate) -> dict[str, Any]:
    """All metrics: by model, and what each feature set gains over the one before it.

    A gain's interval comes from the same resamples for both sets, so what makes a day hard for
    both cancels out.
    """
    exact, resampled = score_models(predictions, params)
    confidence = params.confidence
    return {
        "flights": len(predictions),
        "days": int(predictions["day"].nunique()),
        "late_share": float(predictions["late"].mean()),
        "confidence": confidence,
        "models": {
            model: with_intervals(exact[model], resampled[model], confidence) for model in MODELS
        },
        "gains": {
            to: with_intervals(
                {score: exact[to][score] - exact[start][score] for score in SCORES},
                resampled[to] - resampled[start],
                confidence,
            )
            for start, to in pairwise(FEATURE_SETS)
        },
    }


def headline(result: dict[str, Any]) -> dict[str, Any]:
    """The figures that `dvc metrics` compares from commit to commit: no intervals."""
    by_score = {
        score: {model: row[score] for model, row in result["models"].items()} for score in SCORES
    }
    gains = {name: row["auc"] for name, row in result["gains"].items()}
    return by_score | {"auc_gain": gains, "flights": result["flights"]}


def main(
    predictions: Path,
    metrics: Path,
    intervals: Path,
    plots: Path,
    params: Path = Path("params.yaml"),
) -> None:
    """Score PREDICTIONS (Parquet).

    Writes the headline METRICS, all scores with their INTERVALS (both JSON), and the tables of the
    folder PLOTS (CSV).
    """
    settings = Evaluate.read(params)
    table = read_parquet(predictions, predictions_schema(MODELS).names)
    result = evaluate(table, settings)
    write_json(headline(result), metrics)
    write_json(result, intervals)
    by_model = pd.DataFrame(result["models"]).T.rename_axis("model").reset_index()
    write_csv(by_model, plots / "models.csv")
    gains = pd.DataFrame(result["gains"]).T.rename_axis("added").reset_index()
    write_csv(gains, plots / "gains.csv")
    curves = [
        calibration(table[model], table["late"], settings.calibration_bins).assign(model=model)
        for model in ["logistic", *FEATURE_SETS]
    ]
    write_csv(pd.concat(curves), plots / "calibration.csv")


if __name__ == "__main__":
    run_stage(main)
