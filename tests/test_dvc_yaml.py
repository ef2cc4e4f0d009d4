"""`dvc.yaml` against the code and the files: for the stages that there are, and for yours."""

import ast
import importlib
import inspect
from pathlib import Path

import dvc_bucket
import dvc_bucket.stages
import pytest
from dvc_bucket.testing import stage_faults
from ruamel.yaml import YAML

from tests.pipeline_tools import REPOSITORY, SCRIPTS

PYTHON = f"python {SCRIPTS.relative_to(REPOSITORY)}/"

#: The commands that run a script of the analysis, by stage.
COMMANDS = {
    name: stage["cmd"]
    for name, stage in YAML(typ="safe").load(REPOSITORY / "dvc.yaml")["stages"].items()
    if isinstance(stage.get("cmd"), str) and stage["cmd"].startswith(PYTHON)
}


def test_dvc_yaml_declares_what_the_stages_run_import_and_read() -> None:
    assert stage_faults(REPOSITORY) == []


@pytest.mark.parametrize("stage", COMMANDS)
def test_a_command_gives_its_script_the_arguments_that_it_asks_for(stage: str) -> None:
    script, *arguments = COMMANDS[stage].removeprefix("python ").split()
    main = importlib.import_module(f"{SCRIPTS.name}.{Path(script).stem}").main
    given = next((i for i, word in enumerate(arguments) if word[:2] == "--"), len(arguments))
    parameters = inspect.signature(main).parameters.values()
    assert given == sum(one.default is one.empty for one in parameters)


def test_the_analysis_imports_only_public_names_of_the_toolkit() -> None:
    public = {
        "dvc_bucket": dvc_bucket.__all__,
        "dvc_bucket.stages": dvc_bucket.stages.__all__,
    }
    used = [
        (path.name, node.module, alias.name)
        for path in SCRIPTS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dvc_bucket")
        for alias in node.names
    ]
    assert [use for use in used if use[2] not in public.get(str(use[1]), [])] == []
