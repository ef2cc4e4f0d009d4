from pathlib import Path
from typing import Any

import pytest
from dvc_bucket.stages import StageError
from ruamel.yaml import YAML

from tests.pipeline_tools import PARAMS, SECTIONS

CONTENT = YAML(typ="safe").load(PARAMS)

BROKEN: list[tuple[str, Any]] = [
    # key, value: unknown keys
    ("fetch.colour", "blue"),
    ("train.boosting.depth", 3),
    # wrong types
    ("evaluate.resamples", "many"),
    ("evaluate.seed", True),
    ("features.late_minutes", 15.5),
    ("features.window_minutes", 60),
    ("validate.tolerated", ["flights.dest.in_airports"]),
    # impossible values
    ("fetch.prefix", "/published"),
    ("fetch.sha256", {}),
    ("fetch.sha256.weather", "5d1ea2"),
    ("validate.tolerated.weather", 0),
    ("clean.max_wind_speed", -1.0),
    ("clean.max_wind_speed", float("nan")),
    ("features.lead_minutes", -1),
    ("features.window_minutes", []),
    ("features.window_minutes", [60, 60]),
    ("features.window_minutes.0", 0),
    ("train.test_months.0", 13),
    ("train.logistic_c.1", 0.0),
    ("train.boosting.learning_rate", 0.0),
    ("evaluate.confidence", 95),
]


def with_value(content: Any, key: str, value: Any) -> Any:
    """A copy of nested dictionaries and lists with `value` at the dotted `key`."""
    first, _, rest = key.partition(".")
    if isinstance(content, list):
        return [*content[: int(first)], value, *content[int(first) + 1 :]]
    inner = with_value(content[first], rest, value) if rest else value
    return content | {first: inner}


def test_the_repositorys_parameters_are_valid_and_every_section_is_read() -> None:
    assert set(CONTENT) == set(SECTIONS)
    for section in SECTIONS.values():
        section.read(PARAMS)


@pytest.mark.parametrize(("key", "value"), BROKEN)
def test_a_bad_value_is_named_with_file_and_key(tmp_path: Path, key: str, value: Any) -> None:
    section = key.split(".")[0]
    changed = with_value(CONTENT, key, value)
    path = tmp_path / "params.yaml"
    YAML(typ="safe", pure=True).dump({section: changed[section]}, path)
    with pytest.raises(StageError) as error:
        SECTIONS[section].read(path)
    assert str(error.value).startswith(f"{path}: {key}: ")
    assert "\n" not in str(error.value)
