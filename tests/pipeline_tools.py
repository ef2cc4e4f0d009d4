"""What the tests of the analysis share: the real data after each stage, and small made tables."""

import importlib
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from dvc_bucket.base.kernels import pins
from dvc_bucket.stages import Params, conform, read_parquet, run_program
from ruamel.yaml import YAML

from pipeline.params import Evaluate, Features, Train
from pipeline.publish import package_files
from pipeline.raw import FILES, read_raw
from pipeline.schemas import FLIGHTS, KEY, MODELS

REPOSITORY = Path(__file__).parents[1]
SCRIPTS = REPOSITORY / "src" / "pipeline"
PARAMS = REPOSITORY / "params.yaml"

#: The models of the parameters, by the section of each.
SECTIONS = {
    model.section_name(): model
    for model in Params.__subclasses__()
    if model.__module__ == Train.__module__
}
FEATURES = Features.read(PARAMS)
TRAIN = Train.read(PARAMS)
QUICK_EVALUATE = Evaluate(seed=1, resamples=200, confidence=0.95, calibration_bins=10)


def run(script: str, *arguments: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a stage's script as DVC would."""
    return subprocess.run(
        [sys.executable, SCRIPTS / script, *arguments],
        env=os.environ | pins(os.environ) | changes,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def run_here(
    script: str, *arguments: str | Path, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run a stage's `main` in this process, which has imported what it needs."""
    command = [str(SCRIPTS / script), *map(str, arguments)]
    out, err, status = StringIO(), StringIO(), 0
    main = importlib.import_module(f"pipeline.{Path(script).stem}").main
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(REPOSITORY)
        patch.setattr(sys, "argv", command)
        for name, value in changes.items():
            patch.setenv(name, value)
        try:
            run_program(main)
        except SystemExit as end:
            status = int(end.code or 0)
    return subprocess.CompletedProcess(command, status, out.getvalue(), err.getvalue())


def one_line_failure(result: subprocess.CompletedProcess[str]) -> str:
    """The message of a stage that ended as stages should: one line, no traceback, status 1."""
    assert result.returncode == 1, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def changed_params(path: Path, change: dict[str, Any]) -> Path:
    """Write the repository's parameters to `path`, with `change`d sections replaced or added."""
    yaml = YAML(typ="safe", pure=True)
    with path.open("w") as file:
        yaml.dump(yaml.load(PARAMS) | change, file)
    return path


@cache
def raw_folder() -> Path:
    """The raw files, as the package holds them."""
    (folder,) = {package_files()[name].parent for name in FILES.values()}
    return folder


@cache
def raw_tables() -> dict[str, pd.DataFrame]:
    """All raw tables, whole."""
    return {table: read_raw(raw_folder(), table) for table in FILES}


@cache
def small_raw_tables() -> dict[str, pd.DataFrame]:
    """The raw tables with New Year's Day alone."""
    tables = dict(raw_tables())
    for table in ("flights", "weather"):
        rows = tables[table]
        tables[table] = rows[(rows["month"] == 1) & (rows["day"] == 1)].reset_index(drop=True)
    return tables


def write_raw(folder: Path, tables: dict[str, pd.DataFrame]) -> Path:
    """Write tables the way they were published."""
    folder.mkdir()
    for table, name in FILES.items():
        tables[table].to_csv(folder / name, index=False)
    return folder


@cache
def _workspace() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="pipeline-tests-")


@cache
def interim() -> Path:
    """The folder that the clean stage makes of the real data."""
    folder = Path(_workspace().name) / "interim"
    result = run("clean.py", raw_folder(), folder)
    assert result.returncode == 0, result.stderr
    return folder


@cache
def features_folder() -> Path:
    """The folder that the features stage makes of the real data."""
    folder = Path(_workspace().name) / "features"
    result = run("features.py", interim(), folder)
    assert result.returncode == 0, result.stderr
    return folder


@cache
def month_of_features(month: int) -> pd.DataFrame:
    """The real features of one month."""
    return read_parquet(features_folder() / f"2013-{month:02d}.parquet")


def made_flights(**columns: Any) -> pd.DataFrame:
    """Flights of the shape that the clean stage writes; `scheduled` and what else matters given."""
    scheduled = pd.Series(pd.to_datetime(columns.pop("scheduled"), utc=True)).dt.as_unit("ms")
    local = scheduled.dt.tz_convert("America/New_York")
    flights = pd.DataFrame(
        {
            "scheduled": scheduled,
            "carrier": "UA",
            "flight": range(1, len(scheduled) + 1),
            "origin": "EWR",
            "dest": "BOS",
            "tailnum": "N14228",
            "distance": 200,
            "day": local.dt.tz_localize(None).dt.normalize(),
            "minute_of_day": local.dt.hour * 60 + local.dt.minute,
            "dep_delay": 0.0,
        }
    )
    return conform(flights.assign(**columns), FLIGHTS, KEY)


def made_predictions(flights: int = 3000) -> pd.DataFrame:
    """Predictions that get better from model to model; the first knows nothing."""
    rng = np.random.default_rng(7)
    late = rng.random(flights) < 0.3
    table = pd.DataFrame({"day": rng.integers(0, 30, flights), "late": late})
    for skill, model in enumerate(MODELS):
        told = rng.normal(0.4 * skill * late, 1)
        table[model] = 0.5 if model == "constant" else 1 / (1 + np.exp(1 - told))
    return table
