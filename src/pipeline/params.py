"""`params.yaml` as typed, validated models: one section a stage."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.stage import StageError

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Month = Annotated[int, Field(ge=1, le=12)]


def _each_once(values: list[int]) -> list[int]:
    if len(set(values)) < len(values):
        raise ValueError("a value occurs twice")
    return values


class Section(BaseModel):
    """One section of `params.yaml`; the class's name in lower case is the section's name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read this section from the parameter file `path`.

        Raises:
            StageError: the file or section is missing, or a key is unknown, of the wrong type,
                or impossible; the message names file and key.
        """
        section = cls.__name__.lower()
        try:
            content = YAML(typ="safe", pure=True).load(path)
        except FileNotFoundError:
            raise StageError(f"{path}: no such parameter file.") from None
        except YAMLError as error:
            raise StageError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
        if not isinstance(content, dict) or section not in content:
            raise StageError(f"{path}: the section '{section}' is missing.")
        try:
            return cls.model_validate(content[section])
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join([section, *map(str, first["loc"])])
            raise StageError(f"{path}: {key}: {first['msg']} (found {first['input']!r}).") from None


class Fetch(Section):
    """Where the raw data is published, and what its bytes must be."""

    prefix: Annotated[str, Field(pattern=r"^[^/].*[^/]$")]
    sha256: Annotated[dict[str, Sha256], Field(min_length=1)]


class Validate(Section):
    """Violations that are known and dealt with downstream, as `table.column.check: count`."""

    tolerated: dict[str, Annotated[int, Field(gt=0)]]


class Clean(Section):
    """What cannot be a measurement."""

    #: Miles per hour; a wind above it, sustained over minutes, is an error of the record.
    max_wind_speed: Annotated[float, Field(gt=0)]


class Scale(Section):
    """How much larger than it is the data is made, to try the stages at a size."""

    #: Times that every flight and every hour of weather is there, each a year after the other.
    copies: Annotated[int, Field(ge=1, le=1000)]


class Features(Section):
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

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    learning_rate: Annotated[float, Field(gt=0, le=1)]
    max_rounds: Annotated[int, Field(ge=1)]
    max_leaf_nodes: Annotated[int, Field(ge=2)]
    min_samples_leaf: Annotated[int, Field(ge=1)]
    l2_regularization: Annotated[float, Field(ge=0)]
    patience_rounds: Annotated[int, Field(ge=1)]


class Train(Section):
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


class Evaluate(Section):
    """How uncertainty and calibration are measured."""

    seed: int
    resamples: Annotated[int, Field(ge=100)]
    #: Share of the resamples that an interval holds.
    confidence: Annotated[float, Field(gt=0, lt=1)]
    calibration_bins: Annotated[int, Field(ge=2)]
