import importlib
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from dvc_bucket.base.toolkit import installed_version
from dvc_bucket.stages import StageError
from dvc_bucket.stages.recipe import Recipe, own_modules
from tests.stages.stage_tools import SmallProject


@pytest.fixture
def steps(small: SmallProject, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the small project, imported."""
    monkeypatch.syspath_prepend(small.root)
    importlib.import_module("steps")
    monkeypatch.delitem(sys.modules, "steps")  # and again when the test ends
    importlib.import_module("steps")
    return "steps"


def test_the_projects_modules_are_its_own_and_no_others(steps: str) -> None:
    assert {"dvc_bucket.stages.recipe", "pandas", "tests.stages.stage_tools"} <= set(sys.modules)
    assert own_modules() == [steps]


def test_modules_of_an_environment_inside_the_project_are_not_its_own(
    steps: str, small: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = small.root / ".venv" / "lib" / "package.py"
    inside.parent.mkdir(parents=True)
    inside.touch()
    monkeypatch.syspath_prepend(inside.parent)
    monkeypatch.setattr(sys, "prefix", str(small.root / ".venv"))
    importlib.import_module("package")
    try:
        assert own_modules() == [steps]
    finally:
        del sys.modules["package"]


def test_the_toolkit_is_none_of_the_projects_modules_even_inside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import dvc_bucket

    monkeypatch.chdir(Path(str(dvc_bucket.__file__)).parents[2])
    found = own_modules()
    assert __name__ in found
    assert not [name for name in found if name.startswith("bucket")]


@pytest.mark.usefixtures("small")
def test_releases_count_and_one_that_is_not_installed_is_empty() -> None:
    terms = Recipe.here().terms
    assert {"dvc-bucket", "numpy", "pandas", "pyarrow"} <= set(terms)
    assert terms["pandas"] == version("pandas")
    assert installed_version("no-such-package") == ""


def test_a_worker_with_other_modules_or_kernels_is_refused(steps: str) -> None:
    here = Recipe.here()
    assert here.checked(abs)(-1) == 1
    for recipe, said in (
        (Recipe(dict(here.modules) | {steps: "0"}, here.terms), steps),
        (Recipe(here.modules, dict(here.terms) | {"ARROW_USER_SIMD_LEVEL": "X"}), "ARROW_USER"),
    ):
        with pytest.raises(StageError, match=said):
            recipe.checked(abs)(-1)
