from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from dvc_bucket.stages import Params, StageError
from tests.stages.stage_tools import SmallProject, one_line_failure


class Clean(Params):
    limit: Annotated[float, Field(gt=0)]
    months: list[Annotated[int, Field(ge=1, le=12)]] = Field(default_factory=lambda: [1])


class FitTrees2D(Params):
    seed: int


GOOD = {"clean": {"limit": 1.5, "months": [1, 12]}, "fit_trees2_d": {"seed": 1}}


def write(path: Path, content: Any) -> Path:
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(content, file)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "params.yaml"


def test_a_section_is_read_by_the_name_of_its_class(path: Path) -> None:
    write(path, GOOD)
    assert Clean.read(path) == Clean(limit=1.5, months=[1, 12])
    assert FitTrees2D.read(path).seed == 1


@pytest.mark.parametrize(
    ("name", "section"), [("Clean", "clean"), ("FitTrees", "fit_trees"), ("GBM", "gbm")]
)
def test_a_sections_name_is_the_classs_in_lower_case_with_underscores(
    name: str, section: str
) -> None:
    made = type(name, (Params,), {"__module__": __name__})
    assert issubclass(made, Params)
    assert made.section_name() == section


def test_parameters_do_not_change_and_show_all_their_values(path: Path) -> None:
    params = Clean.read(write(path, GOOD))
    with pytest.raises(ValidationError):
        params.limit = 2.0
    assert repr(params) == "Clean(limit=1.5, months=[1, 12])"  # `resumable` depends on it


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"limit": 1.0, "colour": "blue"}, "clean.colour"),
        ({"limit": "many"}, "clean.limit"),
        ({"limit": True}, "clean.limit"),
        ({"limit": -1.0}, "clean.limit"),
        ({"limit": float("nan")}, "clean.limit"),
        ({"limit": 1.0, "months": 1}, "clean.months"),
        ({"limit": 1.0, "months": [1, 13]}, "clean.months.1"),
        ({"months": [1]}, "clean.limit"),
        (None, "clean"),
        ([1], "clean"),
        ("text", "clean"),
    ],
)
def test_a_fault_is_named_in_one_line_with_file_and_key(path: Path, section: Any, key: str) -> None:
    write(path, {"clean": section})
    with pytest.raises(StageError) as error:
        Clean.read(path)
    assert str(error.value).startswith(f"{path}: {key}: ")
    assert "\n" not in str(error.value)


def test_each_of_several_faults_has_a_line(path: Path) -> None:
    write(path, {"clean": {"limit": -1.0, "months": [0], "colour": "blue"}})
    with pytest.raises(StageError) as error:
        Clean.read(path)
    lines = str(error.value).splitlines()
    keys = ("clean.limit", "clean.months.0", "clean.colour")
    assert [line.split(": ")[:2] for line in lines] == [[str(path), key] for key in keys]


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
def test_a_broken_file_is_named(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(StageError) as error:
        Clean.read(path)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"elsewhere\.yaml: the parameter file does not exist"):
        Clean.read(tmp_path / "elsewhere.yaml")


def test_a_script_says_a_bad_parameter_in_one_line_and_exits_1(small: SmallProject) -> None:
    params = write(small.root / "other.yaml", {"scale_up": {"factor": "gale"}})
    said = one_line_failure(small.run(small.output, "--params", params))
    assert said.startswith(f"scale_up: {params}: scale_up.factor: ")
    assert not small.output.exists()
