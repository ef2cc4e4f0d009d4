from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.params import Clean, Evaluate, Features, Section
from pipeline.stage import StageError
from tests.pipeline_tools import PARAMS, changed_params, one_line_failure, run

SECTIONS = {section.__name__.lower(): section for section in Section.__subclasses__()}
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
    path = changed_params(tmp_path / "params.yaml", {section: changed[section]})
    with pytest.raises(StageError) as error:
        SECTIONS[section].read(path)
    assert str(error.value).startswith(f"{path}: {key}: ")
    assert "\n" not in str(error.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = changed_params(tmp_path / "params.yaml", {"evaluate": {"seed": 1}})
    with pytest.raises(StageError, match=r"params\.yaml: evaluate\.resamples: "):
        Evaluate.read(path)


@pytest.mark.parametrize("content", [None, [1], "text"])
def test_a_section_that_is_no_mapping_is_named(tmp_path: Path, content: Any) -> None:
    path = changed_params(tmp_path / "params.yaml", {"clean": content})
    with pytest.raises(StageError, match=r"params\.yaml: clean: "):
        Clean.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train: {}\n", "the section 'clean' is missing"),
        ("", "the section 'clean' is missing"),
        ("- clean\n", "the section 'clean' is missing"),
        ("clean: {a: [1\nb: 2\n", "is not YAML"),
        ("clean: {}\nclean: {}\n", "is not YAML"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(StageError) as error:
        Clean.read(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"elsewhere\.yaml: no such parameter file"):
        Features.read(tmp_path / "elsewhere.yaml")


def test_a_script_says_a_bad_parameter_in_one_line_and_exits_1(tmp_path: Path) -> None:
    path = changed_params(tmp_path / "params.yaml", {"clean": {"max_wind_speed": "gale"}})
    result = run("clean.py", tmp_path / "raw", tmp_path / "interim", "--params", path)
    assert one_line_failure(result).startswith(f"clean: {path}: clean.max_wind_speed: ")


def test_wrong_usage_of_a_script_exits_2(tmp_path: Path) -> None:
    result = run("clean.py", tmp_path)
    assert result.returncode == 2
    assert "Usage: clean.py" in result.stderr
    assert "Traceback" not in result.stderr
