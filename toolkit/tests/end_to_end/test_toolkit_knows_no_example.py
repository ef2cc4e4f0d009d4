"""The toolkit and its tests know nothing of the example: either can change without the other."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.end_to_end.clones import REPOSITORY

TOOLKIT = REPOSITORY / "toolkit"

#: Tests of the template, which read it.
TEMPLATE = (
    *("tests/ci", "tests/end_to_end", "tests/golden", "tests/soak/template", "tests/template"),
    "tests/safety/test_set_up_changes_only_its_own_venv.py",
)

#: What the tests of the toolkit read beside themselves, of toolkit/ alone.
BESIDE = {"docs", "site", "src", "tests", "benchmarks", "pyproject.toml", ".pytest_cache"}

#: Packages of the example.
PACKAGES = {path.parent.name for path in REPOSITORY.glob("src/*/__init__.py")}

#: What a module that looks for the root begins with.
HERE = "Path(__file__).parents"

#: Tests that read projects in every way there is, and take some seconds.
SOME = (
    "test_places.py",
    "test_init.py",
    "test_project_settings.py",
    "test_secret_scan.py::test_a_whole_project_is_clean_now_and_in_every_commit",
    "test_lock_merge.py",
)


def names_of_the_example() -> dict[str, set[str]]:
    """What the example calls things, read from its files."""
    pyproject = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    params = YAML(typ="safe").load(REPOSITORY / "params.yaml")
    stages = YAML(typ="safe").load(REPOSITORY / "dvc.yaml")["stages"]
    commands = [str(stage.get("do", stage)["cmd"]) for stage in stages.values()]
    return {
        "the project": {pyproject["project"]["name"]},
        "stage scripts": {word for cmd in commands for word in cmd.split() if word.endswith(".py")},
        "modules": {f"pipeline.{path.stem}" for path in REPOSITORY.glob("src/pipeline/*.py")},
        "raw files": set(params["fetch"]["sha256"]),
    }


def is_of_the_template(path: str) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in TEMPLATE)


def tracked(*folders: str) -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders]
    listed = subprocess.run(command, cwd=TOOLKIT, capture_output=True, text=True, check=True)
    found = [name for name in listed.stdout.split("\0") if (TOOLKIT / name).is_file() and name]
    return [name for name in found if not is_of_the_template(name)]


@pytest.fixture(scope="module")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the toolkit and its tests, and nothing of the example."""
    root = tmp_path_factory.mktemp("toolkit")
    for name in tracked("src/dvc_bucket", "tests"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOOLKIT / name, root / name)
    return root


def test_the_example_has_names() -> None:
    assert PACKAGES
    found = names_of_the_example()
    assert all(found.values()), found
    assert len(found["raw files"]) >= 5


def test_no_file_of_the_toolkit_has_a_name_of_the_example(toolkit: Path) -> None:
    names = {name for kind in names_of_the_example().values() for name in kind}
    pattern = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names) + "|flight", re.I)
    files = [path for path in (toolkit / "src").rglob("*") if path.is_file()]
    assert len(files) > 200
    found = {(str(path.relative_to(toolkit)), *pattern.findall(path.read_text())) for path in files}
    assert [one for one in sorted(found) if len(one) > 1] == []


def test_no_test_of_the_toolkit_has_the_projects_name_or_its_scripts(toolkit: Path) -> None:
    names = names_of_the_example()
    pattern = re.compile("|".join(map(re.escape, names["the project"] | names["stage scripts"])))
    files = [path for path in (toolkit / "tests").rglob("*") if path.is_file()]
    found = {(str(path.relative_to(toolkit)), *pattern.findall(path.read_text())) for path in files}
    assert [one for one in sorted(found) if len(one) > 1] == []


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if node.module else []


def faults(tree: ast.Module) -> Iterator[str]:
    """What a module has that leads to the example, its root or its tests."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for module in imported(node):
                if module.split(".")[0] in PACKAGES:
                    yield f"line {node.lineno}: imports {module}"
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module = f"{node.module}.{alias.name}".replace(".", "/")
                if is_of_the_template(module) or is_of_the_template(f"{module}.py"):
                    yield f"line {node.lineno}: imports {node.module}"
                if alias.name == "REPOSITORY":
                    yield f"line {node.lineno}: imports REPOSITORY"
        elif isinstance(node, ast.Subscript) and ast.unparse(node).startswith(HERE):
            yield f"line {node.lineno}: {ast.unparse(node)}"
        elif (
            isinstance(node, ast.BinOp)
            and ast.unparse(node.left) == "TESTS_ROOT"
            and not (isinstance(node.right, ast.Constant) and node.right.value in BESIDE)
        ):
            yield f"line {node.lineno}: reads {ast.unparse(node)}"


def test_no_module_of_the_toolkit_or_its_tests_reads_the_example(toolkit: Path) -> None:
    modules = sorted(toolkit.rglob("*.py"))
    assert len(modules) > 300
    found = {
        f"{path.relative_to(toolkit)}, {fault}"
        for path in modules
        if path != toolkit / "tests" / "__init__.py"  # where TESTS_ROOT is
        for fault in faults(ast.parse(path.read_text()))
    }
    assert found == set()


@pytest.mark.parametrize(
    "text",
    [
        "from tests.end_to_end.clones import Anything",
        "from tests.end_to_end import clones",
        "from tests.safety import test_set_up_changes_only_its_own_venv",
        "from tests.conftest import REPOSITORY",
        *(f"import {package}.tables" for package in sorted(PACKAGES)),
        *(f"from {package} import tables" for package in sorted(PACKAGES)),
        "ROOT = Path(__file__).parents[2]",
        "TEXT = (TESTS_ROOT / 'README.md').read_text()",
    ],
)
def test_what_leads_to_the_example_is_seen(text: str) -> None:
    assert len(list(faults(ast.parse(text)))) == 1


def test_the_tests_of_the_toolkit_run_without_the_example(toolkit: Path) -> None:
    """All of them are found and imported; some are run."""
    for name in ("docs", "benchmarks"):
        shutil.copytree(TOOLKIT / name, toolkit / name)
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(toolkit / "src"), str(toolkit)])}
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    for words in (["--collect-only", "tests"], [f"tests/bucket/{name}" for name in SOME]):
        done = subprocess.run(
            [*pytest_, *words], cwd=toolkit, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
