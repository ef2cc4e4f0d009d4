from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from pipeline.models import CATEGORIES, Boosting, Constant, History, feature_columns, make_model
from pipeline.params import Train
from pipeline.schemas import FEATURE_SETS, MODELS, knock_on_values
from tests.pipeline_tools import TRAIN, month_of_features

KNOCK_ON = knock_on_values([60, 180])
QUICK = TRAIN.model_copy(update={"boosting": TRAIN.boosting.model_copy(update={"max_rounds": 5})})


def sample(month: int, rows: int = 2000) -> pd.DataFrame:
    return month_of_features(month).sample(rows, random_state=1).reset_index(drop=True)


def flights(minute_of_day: list[int], late: list[bool]) -> pd.DataFrame:
    """Flights of one carrier from one origin."""
    return pd.DataFrame(
        {"origin": "EWR", "carrier": "UA", "minute_of_day": minute_of_day, "late": late}
    )


def test_history_pulls_rates_of_few_flights_towards_the_overall_rate() -> None:
    train = flights([360, 370, 419, 420], [True, True, True, False])  # 6 to 7, and 7 o'clock
    history = History(prior=2.0)
    history.fit(train, train)
    early, late = (3 + 2 * 0.75) / (3 + 2), (0 + 2 * 0.75) / (1 + 2)
    assert history.predict(train).tolist() == pytest.approx([early, early, early, late])


def test_history_says_the_overall_rate_for_a_group_that_it_never_saw() -> None:
    train = flights([360, 420], [True, False])
    history = History(prior=2.0)
    history.fit(train, train)
    asked = pd.concat([train.assign(carrier="B6"), flights([1380], [True])], ignore_index=True)
    assert history.predict(asked).tolist() == [0.5] * 3


def test_the_constant_is_the_training_rate() -> None:
    train = flights([360] * 4, [True, False, False, False])
    constant = Constant()
    constant.fit(train, train)
    assert constant.predict(train).tolist() == [0.25] * 4


def test_each_feature_set_holds_the_one_before_it_and_nothing_that_tells_the_outcome() -> None:
    sets = [set(feature_columns(name, KNOCK_ON)) for name in FEATURE_SETS]
    for smaller, larger in pairwise(sets):
        assert smaller < larger
    assert sets[-1] == set(month_of_features(1)) - {"scheduled", "flight", "day", "late"}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_gives_probabilities_from_its_own_columns_alone(name: str) -> None:
    train, tune, test = sample(1), sample(10), sample(11)
    model = make_model(name, KNOCK_ON, QUICK)
    model.fit(train[[*model.columns, "late"]], tune[[*model.columns, "late"]])
    probability = model.predict(test[model.columns])
    assert probability.shape == (len(test),)
    assert ((probability >= 0) & (probability <= 1)).all()


@pytest.mark.parametrize("name", ["logistic", "aircraft"])
def test_a_category_never_seen_is_no_obstacle(name: str) -> None:
    train, tune = sample(1), sample(10)
    model = make_model(name, KNOCK_ON, QUICK)
    model.fit(train, tune)
    strange = tune.assign(**dict.fromkeys(CATEGORIES & set(tune) - {"weekday"}, "new"), weekday=9)
    assert np.isfinite(model.predict(strange)).all()


def test_trees_take_a_category_never_seen_for_a_missing_one() -> None:
    # The carriers of late flights are missing, so that it tells on its own.
    train, tune = (
        rows.assign(carrier=rows["carrier"].mask(rows["late"])) for rows in (sample(1), sample(10))
    )
    model = Boosting(feature_columns("schedule", KNOCK_ON), QUICK)
    model.fit(train, tune)
    new, missing = tune.assign(carrier="new"), tune.assign(carrier=None)
    assert (model.predict(new) == model.predict(missing)).all()
    known = tune[tune["carrier"].isin(train["carrier"].dropna())]
    assert model.predict(new).min() > model.predict(known).max()


def test_boosting_stops_where_the_tuning_month_no_longer_improves() -> None:
    params = Train.model_validate(
        TRAIN.model_dump()
        | {"boosting": TRAIN.boosting.model_dump() | {"learning_rate": 1.0, "min_samples_leaf": 5}}
    )
    notes = Boosting(feature_columns("schedule", KNOCK_ON), params).fit(sample(1), sample(10))
    assert int(notes["rounds"]) < 30
