from pathlib import Path

import pandas as pd
import pytest
from dvc_bucket.stages import StageError

from pipeline.page import page
from pipeline.summary import Summary, summary

MEASURED = pd.DataFrame({"site": ["dale", "hill", "hill"], "celsius": [15.0, 16.0, 17.0]})


def test_a_site_has_the_mean_of_its_days() -> None:
    sites = summary(MEASURED, Summary(min_days=2))
    assert sites.to_dict("index") == {"hill": {"celsius": 16.5, "days": 2}}


def test_the_page_is_the_same_text_each_time_and_shows_every_site() -> None:
    sites = summary(MEASURED, Summary(min_days=1))
    assert page(sites) == page(sites)
    assert "<svg" in page(sites)
    assert "<td>hill</td><td>16.5</td><td>2</td>" in page(sites)


def test_a_wrong_parameter_is_named(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("summary:\n  min_days: 0\n")
    with pytest.raises(StageError, match="min_days"):
        Summary.read(params)
