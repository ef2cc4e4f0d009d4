from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from pipeline.evaluate import evaluate, headline
from pipeline.schemas import FEATURE_SETS, MODELS
from pipeline.scores import SCORES, DailyScores, calibration, draw_days, interval
from tests.pipeline_tools import QUICK_EVALUATE, made_predictions

#: (late, probability) of each flight, by day; few probabilities, so that there are ties.
FLIGHT = st.tuples(st.booleans(), st.sampled_from([0.1, 0.25, 0.5, 0.9]) | st.floats(0.01, 0.99))
DAYS = st.lists(st.lists(FLIGHT, min_size=1, max_size=12), min_size=1, max_size=6)


def columns(days: list[list[tuple[bool, float]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Day, outcome and probability of every flight."""
    day = np.repeat(np.arange(len(days)), [len(flights) for flights in days])
    late = np.array([late for flights in days for late, _ in flights])
    probability = np.array([probability for flights in days for _, probability in flights])
    return day, late, probability


@settings(deadline=None)
@given(DAYS, st.data())
def test_a_resamples_scores_are_those_of_the_rows_drawn(
    days: list[list[tuple[bool, float]]], data: st.DataObject
) -> None:
    day, late, probability = columns(days)
    draw = st.lists(st.integers(0, 3), min_size=len(days), max_size=len(days))
    draws = np.array([data.draw(draw), [1] * len(days)])
    assume(draws[0].sum() > 0)
    found = DailyScores.of(day, late, probability).scores(draws)
    for times, scores in zip(draws, found.to_dict("records"), strict=True):
        rows = np.repeat(np.arange(len(day)), times[day])
        happened, said = late[rows], probability[rows]
        assert scores["log_loss"] == pytest.approx(log_loss(happened, said, labels=[False, True]))
        expected = brier_score_loss(happened, said, labels=[False, True])
        assert scores["brier"] == pytest.approx(expected)
        if 0 < happened.sum() < len(happened):
            assert scores["auc"] == pytest.approx(roc_auc_score(happened, said))
        else:
            assert np.isnan(scores["auc"])


def test_certain_and_wrong_is_a_large_loss_but_a_finite_one() -> None:
    day, late = np.array([0, 0]), np.array([True, False])
    daily = DailyScores.of(day, late, np.array([0.0, 1.0]))
    scores = daily.scores(np.array([[1]])).iloc[0]
    assert scores["auc"] == 0
    assert 10 < scores["log_loss"] < 20


def test_draws_are_whole_resamples_and_the_same_for_the_same_seed() -> None:
    draws = draw_days(days=61, resamples=100, seed=5)
    assert (draws.sum(axis=1) == 61).all()
    assert (draws == draw_days(days=61, resamples=100, seed=5)).all()
    assert (draws != draw_days(days=61, resamples=100, seed=6)).any()


def test_an_interval_holds_the_share_asked_for() -> None:
    assert interval(pd.Series(np.arange(1001.0)), 0.9) == pytest.approx((50, 950))


def test_intervals_hold_their_estimates_and_gains_are_differences() -> None:
    result = evaluate(made_predictions(), QUICK_EVALUATE)
    models, gains = result["models"], result["gains"]
    for row in [*models.values(), *gains.values()]:
        for score in SCORES:
            assert row[f"{score}_low"] <= row[score] <= row[f"{score}_high"]
    for start, to in pairwise(FEATURE_SETS):
        assert gains[to]["auc"] == pytest.approx(models[to]["auc"] - models[start]["auc"])
        assert gains[to]["auc_low"] > 0
    assert models["constant"]["auc"] == 0.5
    assert (result["flights"], result["days"]) == (3000, 30)


def test_the_headline_holds_the_scores_without_intervals() -> None:
    result = evaluate(made_predictions(), QUICK_EVALUATE)
    assert headline(result) == {
        score: {model: result["models"][model][score] for model in MODELS} for score in SCORES
    } | {
        "auc_gain": {name: row["auc"] for name, row in result["gains"].items()},
        "flights": 3000,
    }


@settings(deadline=None)
@given(DAYS, st.integers(2, 12))
def test_calibration_bins_hold_every_flight_once_in_order_of_probability(
    days: list[list[tuple[bool, float]]], bins: int
) -> None:
    _, late, probability = columns(days)
    curve = calibration(pd.Series(probability), pd.Series(late), bins)
    assert 1 <= len(curve) <= bins
    assert curve["flights"].sum() == len(late)
    assert (curve["flights"] * curve["observed"]).sum() == pytest.approx(late.sum())
    assert (curve["flights"] * curve["predicted"]).sum() == pytest.approx(probability.sum())
    assert curve["predicted"].is_monotonic_increasing


def test_calibration_bins_are_of_equal_size() -> None:
    probability = pd.Series(np.linspace(0, 1, 1000))
    assert calibration(probability, probability > 0.5, 10)["flights"].tolist() == [100] * 10
