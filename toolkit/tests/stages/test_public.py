"""The public names of the toolkit: each exists, is documented, and is imported on first use."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dvc_bucket
import dvc_bucket.plugin
import dvc_bucket.stages
import dvc_bucket.testing
from tests import TESTS_ROOT

PACKAGES = [dvc_bucket, dvc_bucket.stages, dvc_bucket.testing, dvc_bucket.plugin]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_and_documented(package: object) -> None:
    module = importlib.import_module(str(vars(package)["__name__"]))
    for name in module.__all__:
        found = getattr(module, name)
        if callable(found):
            assert found.__doc__, name


def test_the_contents_of_stages_name_every_public_name_and_no_other() -> None:
    lines = (dvc_bucket.stages.__doc__ or "").splitlines()
    listed = {line.split()[0] for line in lines if line.startswith("    ")}
    assert listed == set(dvc_bucket.stages.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_page_lists_every_public_name_and_no_other(package: object) -> None:
    module = importlib.import_module(str(vars(package)["__name__"]))
    page = (TESTS_ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## `{module.__name__}`")[2].partition("\n## ")[0]
    cells = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    listed = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(listed) == sorted(module.__all__)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_that_is_not_public_is_no_attribute(package: object) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing  # type: ignore[attr-defined]


def test_a_package_imports_nothing_before_it_is_asked() -> None:
    code = (
        "import sys, dvc_bucket, dvc_bucket.stages; dvc_bucket.stages.StageError;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'obstore', 'pandas', 'pyarrow', 'pydantic', 'typer'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_the_toolkit_never_imports_the_analysis() -> None:
    for path in Path(str(dvc_bucket.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert "pipeline" not in {name.partition(".")[0] for name in names}, path
