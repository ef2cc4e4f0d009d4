from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from dvc_bucket.stages import DECIMALS, StageError, read_json, read_parquet, write_parquet
from threadpoolctl import threadpool_limits

from pipeline.params import Train
from pipeline.schemas import KEY, MODELS, features_schema, predictions_schema
from pipeline.train import split
from tests.pipeline_tools import FEATURES, TRAIN, changed_params, month_of_features, run_here


def with_months(train: list[int], tune: list[int], test: list[int]) -> Train:
    return TRAIN.model_copy(
        update={"train_months": train, "tune_months": tune, "test_months": test}
    )


def year() -> pd.DataFrame:
    """One late and one punctual flight a month."""
    days = [day for day in pd.date_range("2013-01-15", periods=12, freq="MS") for _ in range(2)]
    return pd.DataFrame({"day": days, "late": [True, False] * 12})


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A twentieth of the real features of three months, and parameters that fit them."""
    folder = tmp_path_factory.mktemp("train")
    for month in (1, 10, 11):
        rows = month_of_features(month).iloc[::20]
        schema = features_schema(FEATURES.window_minutes)
        write_parquet(rows, schema, folder / "features" / f"2013-{month:02d}.parquet")
    section = with_months([1], [10], [11]).model_dump()
    section["boosting"]["max_rounds"] = 15
    changed_params(folder / "params.yaml", {"train": section})
    return folder


@pytest.fixture(scope="module")
def trained(small: Path) -> dict[int, Path]:
    """The outputs of the train stage by number of threads."""
    folders = {}
    for threads in (1, 3):
        folders[threads] = small / str(threads)
        outputs = [folders[threads] / name for name in ("predictions.parquet", "training.json")]
        words: list[str | Path] = [small / "features", *outputs, "--params", small / "params.yaml"]
        # The variable has scikit-learn use more threads than there are cores.
        with threadpool_limits(threads):
            result = run_here("train.py", *words, OMP_NUM_THREADS=str(threads))
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""  # no progress bar in a pipe
    return folders


def test_flights_are_split_by_month() -> None:
    parts = split(year(), with_months([1, 2], [10], [11, 12]))
    months = [sorted({day.month for day in part["day"]}) for part in parts]
    # `year` starts at the first whole month after 15 January.
    assert months == [[1, 2], [10], [11, 12]]


@pytest.mark.parametrize(
    ("train", "tune", "test"),
    [([1, 2], [2], [3]), ([1], [2], [1]), ([1], [2], [2, 3]), ([1, 1], [2], [3])],
)
def test_overlapping_months_are_refused(train: list[int], tune: list[int], test: list[int]) -> None:
    with pytest.raises(StageError, match="overlap"):
        split(year(), with_months(train, tune, test))


def test_a_part_from_which_nothing_can_be_learnt_is_refused() -> None:
    months = with_months([1, 2], [10], [11, 12])
    october = pd.Series([day.month == 10 for day in year()["day"]])
    with pytest.raises(StageError, match=r"months \[10\]"):
        split(year()[~october], months)
    with pytest.raises(StageError, match=r"months \[10\]"):
        split(year()[~october | year()["late"]], months)


def test_predictions_are_the_same_bytes_on_one_and_three_threads(
    trained: dict[int, Path],
) -> None:
    for name in ("predictions.parquet", "training.json"):
        assert len({(folder / name).read_bytes() for folder in trained.values()}) == 1


def test_every_test_flight_is_predicted_by_every_model(trained: dict[int, Path]) -> None:
    file = trained[1] / "predictions.parquet"
    assert pq.read_schema(file).equals(predictions_schema(MODELS), check_metadata=True)
    predictions = read_parquet(file)
    test = month_of_features(11).iloc[::20].reset_index(drop=True)
    pd.testing.assert_frame_equal(predictions[[*KEY, "late"]], test[[*KEY, "late"]])
    assert ((predictions[MODELS] >= 0) & (predictions[MODELS] <= 1)).all(axis=None)
    assert (predictions[MODELS].round(DECIMALS) == predictions[MODELS]).all(axis=None)
    assert predictions["constant"].nunique() == 1
    assert set(read_json(trained[1] / "training.json")) == set(MODELS)
