"""The models: what each is given to know, and how it learns the probability of a late departure."""

from typing import Any, Protocol

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pipeline.params import Train
from pipeline.schemas import AIRCRAFT_VALUES, FEATURE_SETS, SCHEDULE_VALUES, WEATHER_VALUES

#: Columns that name a thing rather than measure one.
CATEGORIES = {"origin", "carrier", "dest", "weekday", "hour", "manufacturer", "engine"}

#: What `fit` notes of how a model was chosen.
Notes = dict[str, float | int | str]


class Model(Protocol):
    """What is fitted on `train`, chosen on `tune`, and then asked about flights it never saw."""

    #: The features that it looks at; `late` comes on top where it learns.
    columns: list[str]

    def fit(self, train: pd.DataFrame, tune: pd.DataFrame) -> Notes:
        """Learn from `train`, choose on `tune`; returns what was chosen."""
        ...

    def predict(self, flights: pd.DataFrame) -> np.ndarray:
        """The probability of a late departure for each of n flights, shape (n,)."""
        ...


def feature_columns(feature_set: str, knock_on: list[str]) -> list[str]:
    """Columns that the models of `feature_set` may look at; `knock_on` names that set's own."""
    added = [SCHEDULE_VALUES, WEATHER_VALUES, knock_on, AIRCRAFT_VALUES]
    return [name for group in added[: FEATURE_SETS.index(feature_set) + 1] for name in group]


def known_categories(train: pd.DataFrame, columns: list[str]) -> dict[str, pd.Index]:
    """The sorted categories of `train` in those of `columns` that have categories."""
    return {
        name: pd.Index(sorted(train[name].dropna().unique()))
        for name in columns
        if name in CATEGORIES
    }


def encoded(flights: pd.DataFrame, columns: list[str], known: dict[str, pd.Index]) -> np.ndarray:
    """The columns of n flights in single precision, a category as its place in `known`.

    A category that is missing or not known is NaN. Numbers spare each model the comparison of
    texts.

    Returns:
        Shape (n, len(columns)).
    """
    inputs = np.empty((len(flights), len(columns)), dtype="float32")
    for number, name in enumerate(columns):
        if name in known:
            places = known[name].get_indexer(pd.Index(flights[name]))
            inputs[:, number] = np.where(places < 0, np.nan, places)
        else:
            inputs[:, number] = flights[name].to_numpy("float32", na_value=np.nan)
    return inputs


class Constant:
    """Every flight is as likely to be late as all were."""

    def __init__(self) -> None:
        self.columns: list[str] = []

    def fit(self, train: pd.DataFrame, tune: pd.DataFrame) -> Notes:  # noqa: ARG002
        """Learn the overall rate."""
        self.rate = float(train["late"].mean())
        return {"rate": self.rate}

    def predict(self, flights: pd.DataFrame) -> np.ndarray:
        """That rate, for each flight."""
        return np.full(len(flights), self.rate)


class History:
    """A flight is as likely to be late as those of its origin, carrier and hour of day were.

    Rates of few flights are pulled towards the overall rate, as if `prior` more flights had been
    seen at it (the posterior mean under a beta prior).
    """

    KEY = ("origin", "carrier", "hour")

    def __init__(self, prior: float) -> None:
        self.columns = ["origin", "carrier", "minute_of_day"]
        self.prior = prior

    def fit(self, train: pd.DataFrame, tune: pd.DataFrame) -> Notes:  # noqa: ARG002
        """Learn the rates."""
        self.overall = float(train["late"].mean())
        groups = (
            train.assign(hour=_hour(train)).groupby(list(self.KEY))["late"].agg(["sum", "size"])
        )
        self.rates = (groups["sum"] + self.prior * self.overall) / (groups["size"] + self.prior)
        return {"groups": len(self.rates)}

    def predict(self, flights: pd.DataFrame) -> np.ndarray:
        """The rate of each flight's group; the overall rate where the group is new."""
        keys = pd.MultiIndex.from_frame(flights.assign(hour=_hour(flights))[list(self.KEY)])
        return self.rates.reindex(keys).fillna(self.overall).to_numpy()


class Logistic:
    """Logistic regression on one-hot categories and standardised measures."""

    def __init__(self, columns: list[str], strengths: list[float]) -> None:
        self.columns = columns
        self.measured = [name for name in columns if name != "minute_of_day"]
        self.strengths = strengths

    def fit(self, train: pd.DataFrame, tune: pd.DataFrame) -> Notes:
        """Fit one regression for each strength and keep the best on `tune`."""
        self.known = known_categories(train, self.columns)
        inputs = self._inputs(train)
        categories = [name in CATEGORIES for name in [*self.measured, "hour"]]
        measures = [not category for category in categories]
        self.encoder = ColumnTransformer(
            [
                ("categories", OneHotEncoder(handle_unknown="ignore", dtype="float32"), categories),
                ("measures", make_pipeline(StandardScaler(), SimpleImputer()), measures),
            ],
            sparse_threshold=1.0,  # sparse products run in a fixed order; dense ones are BLAS's
        )
        # Encoded in single precision, which is the data's own, to halve the peak of memory.
        known = self.encoder.fit_transform(inputs).astype("float64")
        fits = [
            LogisticRegression(C=c, max_iter=300, tol=1e-3).fit(known, train["late"])
            for c in self.strengths
        ]
        asked = self.encoder.transform(self._inputs(tune))
        losses = [log_loss(tune["late"], fit.predict_proba(asked)[:, 1]) for fit in fits]
        best = int(np.argmin(losses))
        self.regression = fits[best]
        return {"c": self.strengths[best], "tune_log_loss": float(losses[best])}

    def predict(self, flights: pd.DataFrame) -> np.ndarray:
        """The regression's probability for each flight."""
        probability: np.ndarray = self.regression.predict_proba(
            self.encoder.transform(self._inputs(flights))
        )[:, 1]
        return probability

    def _inputs(self, flights: pd.DataFrame) -> np.ndarray:
        """The encoded columns, with the hour as a category in place of the minute of the day."""
        hour = _hour(flights).astype("float32")
        return np.column_stack([encoded(flights, self.measured, self.known), hour])


class Boosting:
    """Gradient boosted trees; rounds are added until `tune` has not improved for a while."""

    def __init__(self, columns: list[str], params: Train) -> None:
        self.columns = columns
        self.params = params

    def fit(self, train: pd.DataFrame, tune: pd.DataFrame) -> Notes:
        """Grow trees on `train`, stop by `tune`."""
        chosen = self.params.boosting
        self.known = known_categories(train, self.columns)
        self.trees = HistGradientBoostingClassifier(
            learning_rate=chosen.learning_rate,
            max_iter=chosen.max_rounds,
            max_leaf_nodes=chosen.max_leaf_nodes,
            min_samples_leaf=chosen.min_samples_leaf,
            l2_regularization=chosen.l2_regularization,
            n_iter_no_change=chosen.patience_rounds,
            early_stopping=True,
            categorical_features=[name in CATEGORIES for name in self.columns],
            random_state=self.params.seed,
        )
        self.trees.fit(
            self._inputs(train), train["late"], X_val=self._inputs(tune), y_val=tune["late"]
        )
        loss = log_loss(tune["late"], self.predict(tune))
        return {"rounds": int(self.trees.n_iter_), "tune_log_loss": float(loss)}

    def predict(self, flights: pd.DataFrame) -> np.ndarray:
        """The trees' probability for each flight; a category never seen counts as missing."""
        probability: np.ndarray = self.trees.predict_proba(self._inputs(flights))[:, 1]
        return probability

    def _inputs(self, flights: pd.DataFrame) -> np.ndarray:
        return encoded(flights, self.columns, self.known)


def make_model(name: str, knock_on: list[str], params: Train) -> Model:
    """The unfitted model of that name; `knock_on` names the columns of the airport's state."""
    makers: dict[str, Any] = {
        "constant": Constant,
        "history": lambda: History(params.history_prior),
        "logistic": lambda: Logistic(feature_columns("knock_on", knock_on), params.logistic_c),
    }
    if name in makers:
        model: Model = makers[name]()
        return model
    return Boosting(feature_columns(name, knock_on), params)


def _hour(flights: pd.DataFrame) -> "pd.Series[int]":
    """Local hour of the scheduled departure, 0 to 23."""
    return flights["minute_of_day"] // 60
