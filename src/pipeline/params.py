"""The sections of `params.yaml` as typed, validated models."""

from typing import Annotated

from dvc_bucket.stages import Params
from pydantic import AfterValidator, BaseModel, Field

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Month = Annotated[int, Field(ge=1, le=12)]


def _each_once(values: list[int]) -> list[int]:
    if len(set(values)) < len(values):
        raise ValueError("a value occurs twice")
    return values


class Fetch(Params):
    """Where the raw data is published, and what its bytes must be."""

    prefix: Annotated[str, Field(pattern=r"^[^/].*[^/]$")]
    sha256: Annotated[dict[str, Sha256], Field(min_length=1)]


class Validate(Params):
    """Violations that are known and dealt with downstream, as `table.column.check: count`."""

    tolerated: dict[str, Annotated[int, Field(gt=0)]]


class Clean(Params):
    """What cannot be a measurement."""

    #: Miles per hour; a wind above it, sustained over minutes, is an error of the record.
    max_wind_speed: Annotated[float, Field(gt=0)]


class Scale(Params):
    """How much larger than it is the data is made, to try the stages at a size."""

    #: Times that every flight and every hour of weather is there, each a year after the other.
    copies: Annotated[int, Field(ge=1, le=1000)]


class Features(Params):
    """What counts as late, and what is known how long before a departure."""

    #: Minutes after schedule from which a departure is late (the US DOT's definition: 15).
    late_minutes: Annotated[int, Field(ge=1)]
    #: Minutes before the scheduled departure at which the airport's state is read.
    lead_minutes: Annotated[int, Field(ge=0, le=24 * 60)]
    #: Lengths of the look-back windows that end at that moment, minutes.
    window_minutes: Annotated[
        list[Annotated[int, Field(ge=1, le=7 * 24 * 60)]],
        Field(min_length=1),
        AfterValidator(_each_once),
    ]


class Boosting(BaseModel):
    """Gradient boosting of decision trees; rounds are chosen on the tuning month."""

    model_config = Params.model_config

    learning_rate: Annotated[float, Field(gt=0, le=1)]
    max_rounds: Annotated[int, Field(ge=1)]
    max_leaf_nodes: Annotated[int, Field(ge=2)]
    min_samples_leaf: Annotated[int, Field(ge=1)]
    l2_regularization: Annotated[float, Field(ge=0)]
    patience_rounds: Annotated[int, Field(ge=1)]


class Train(Params):
    """Which months teach, tune and test, and how the models learn."""

    seed: int
    train_months: Annotated[list[Month], Field(min_length=1)]
    tune_months: Annotated[list[Month], Field(min_length=1)]
    test_months: Annotated[list[Month], Field(min_length=1)]
    #: Flights' worth of the overall rate that each historical rate is pulled towards.
    history_prior: Annotated[float, Field(ge=0)]
    #: Candidate inverse regularisation strengths, chosen by log loss on the tuning month.
    logistic_c: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]
    boosting: Boosting


class Evaluate(Params):
    """How uncertainty and calibration are measured."""

    seed: int
    resamples: Annotated[int, Field(ge=100)]
    #: Share of the resamples that an interval holds.
    confidence: Annotated[float, Field(gt=0, lt=1)]
    calibration_bins: Annotated[int, Field(ge=2)]
