import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import dvc_bucket
import dvc_bucket.stages
import pytest
from ruamel.yaml import YAML

from tests.pipeline_tools import PARAMS, REPOSITORY, SCRIPTS, SECTIONS

STAGES = YAML(typ="safe").load(REPOSITORY / "dvc.yaml")["stages"]
#: The sections by the names of their models.
MODELS = {model.__name__: name for name, model in SECTIONS.items()}


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> Any:
    return STAGES[request.param]


def words(stage: Any) -> list[str]:
    """The script and the arguments of a stage's command."""
    command: list[str] = stage["cmd"].split()
    assert command[0] == "python"
    return command[1:]


def declared(stage: Any, *kinds: str) -> set[str]:
    """Paths under the keys `kinds`, whether or not they carry options."""
    entries = [entry for kind in kinds for entry in stage.get(kind, [])]
    return {next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries}


def of_results(paths: Any) -> set[str]:
    return {path for path in paths if path.startswith(("data/", "reports/"))}


@cache
def nodes(path: Path) -> list[ast.AST]:
    """The syntax of a file."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imported(path: Path) -> Iterator[tuple[str, str | None]]:
    """Each (module, name) that a file imports; name None: the module itself."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def with_imports(script: Path) -> set[Path]:
    """A script, the package, and every module of it that the script imports, directly or not."""
    found, pending = set(), [script, SCRIPTS / "__init__.py"]
    while pending:
        path = pending.pop()
        found.add(path)
        for module, name in imported(path):
            names = [*module.split("."), name]
            if names[0] == "pipeline" and names[1]:
                pending.extend({SCRIPTS / f"{names[1]}.py"} - found)
    return found


def test_a_stage_depends_on_exactly_the_code_that_it_runs(stage: Any) -> None:
    code = with_imports(REPOSITORY / words(stage)[0])
    templates = {word for word in words(stage) if word.startswith("src/")}
    expected = {str(path.relative_to(REPOSITORY)) for path in code} | templates
    assert {path for path in declared(stage, "deps") if path.startswith("src/")} == expected


def test_the_deps_of_a_stage_are_its_data_its_script_and_its_modules_in_that_order(
    stage: Any,
) -> None:
    script = words(stage)[0]
    code = [path for path in stage["deps"] if path.startswith("src/")]
    data = [path for path in stage["deps"] if path not in code]
    assert stage["deps"] == [*data, *code]
    assert code[0] == script


def test_a_stage_depends_on_exactly_the_parameter_sections_that_it_reads(stage: Any) -> None:
    read = {
        MODELS[node.value.id]
        for path in with_imports(REPOSITORY / words(stage)[0])
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and node.attr == "read"
        and isinstance(node.value, ast.Name)
        and node.value.id in MODELS
    }
    assert {key.split(".")[0] for key in stage["params"]} == read


def test_every_parameter_that_a_stage_depends_on_exists(stage: Any) -> None:
    content = YAML(typ="safe").load(PARAMS)
    for key in stage["params"]:
        value = content
        for part in key.split("."):
            assert part in value, key
            value = value[part]


def test_a_command_gives_its_script_the_arguments_that_it_asks_for(stage: Any) -> None:
    script, *arguments = words(stage)
    assert arguments[-2:] == ["--params", "params.yaml"]
    main = importlib.import_module(f"pipeline.{Path(script).stem}").main
    required = [
        name
        for name, parameter in inspect.signature(main).parameters.items()
        if parameter.default is parameter.empty
    ]
    assert len(arguments) - 2 == len(required)


def test_every_path_on_a_command_line_is_declared(stage: Any) -> None:
    known = declared(stage, "deps", "outs")
    for word in of_results(words(stage)):
        assert any(f"{path}/".startswith(f"{word}/") for path in known), word


def test_every_output_lies_in_a_path_on_the_command_line(stage: Any) -> None:
    for out in declared(stage, "outs"):
        assert any(f"{out}/".startswith(f"{word}/") for word in of_results(words(stage))), out


def test_every_input_of_a_stage_is_the_output_of_another() -> None:
    outs = set().union(*(declared(stage, "outs") for stage in STAGES.values()))
    for stage in STAGES.values():
        assert of_results(declared(stage, "deps")) <= outs


def test_no_code_of_a_stage_holds_a_path_of_data_or_reports(stage: Any) -> None:
    for script in with_imports(REPOSITORY / words(stage)[0]):
        prose = {id(node.value) for node in nodes(script) if isinstance(node, ast.Expr)}
        for node in nodes(script):
            if isinstance(node, ast.Constant) and id(node) not in prose:
                assert not re.search(r"(^|[/\s])(data|reports)(/|$)", str(node.value)), script


def test_the_analysis_imports_only_public_names_of_the_toolkit() -> None:
    public = {"dvc_bucket": dvc_bucket.__all__, "dvc_bucket.stages": dvc_bucket.stages.__all__}
    used = [
        (path.name, module, name)
        for path in SCRIPTS.glob("*.py")
        for module, name in imported(path)
        if module.split(".")[0] == "dvc_bucket"
    ]
    assert len(used) > len(STAGES)
    assert not [use for use in used if use[2] not in public.get(use[1], [])]


def test_every_script_ends_in_the_same_shell() -> None:
    for stage in STAGES.values():
        text = (REPOSITORY / words(stage)[0]).read_text(encoding="utf-8")
        assert text.endswith('\n\nif __name__ == "__main__":\n    run_stage(main)\n')
