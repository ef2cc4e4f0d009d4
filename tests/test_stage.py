from pathlib import Path

import pytest
from dvc_bucket.stages import write_json

from pipeline.evaluate import evaluate
from tests.pipeline_tools import (
    QUICK_EVALUATE,
    SCRIPTS,
    features_folder,
    interim,
    made_predictions,
    one_line_failure,
    run_here,
)


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("validate.py", "raw validation.json"),
        ("clean.py", "raw interim"),
        ("features.py", "interim features"),
        ("train.py", "features predictions.parquet training.json"),
        ("evaluate.py", "predictions.parquet metrics.json intervals.json plots"),
        ("report.py", "features interim reports report.html.j2 report.html"),
    ],
)
def test_a_stage_without_its_inputs_names_them_and_leaves_nothing_behind(
    tmp_path: Path, script: str, arguments: str
) -> None:
    given = {"report.html.j2": SCRIPTS / "report.html.j2"}  # the one file that is there
    paths = [given.get(argument, tmp_path / argument) for argument in arguments.split()]
    result = run_here(script, *paths)
    assert str(tmp_path) in one_line_failure(result)
    assert not list(tmp_path.rglob("*"))


def test_a_file_that_no_stage_makes_is_named_where_it_is_missing(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    write_json(evaluate(made_predictions(), QUICK_EVALUATE), reports / "intervals.json")
    arguments = [interim(), reports, tmp_path / "no-template", tmp_path / "report.html"]
    result = run_here("report.py", features_folder(), *arguments)
    assert str(reports / "plots" / "calibration.csv") in one_line_failure(result)
