"""Which plugins of an environment are found, and which never; docs/plugins.md."""

import json
import os
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.connection import entry_points
from dvc_bucket.plugin import COMMANDS
from tests import TESTS_ROOT
from tests.bucket.git_tools import TOOLS
from tests.bucket.plugin_tools import (
    GROUPS,
    LIST_COMMANDS,
    commands,
    install,
    run,
)


def test_metadata_in_the_project_is_not_read(project: Project, tmp_path: Path, lab: Path) -> None:
    code = "from pathlib import Path\nPath('ran').touch()\ndef run(): pass"
    points = {COMMANDS: {"evil": "evil:run"}}
    for folder in (project.root, project.root / "data"):
        install(folder, "evil", code, points)
        packages = os.pathsep.join([str(folder), str(lab)])
        assert commands(project.root, packages)[0] == ["quota"]
    assert not (project.root / "ran").exists()
    # Outside the project it is a plugin like others.
    install(tmp_path / "elsewhere", "evil", code, points)
    assert commands(project.root, tmp_path / "elsewhere")[0] == ["evil"]


def test_the_environment_of_the_project_is_searched(project: Project, lab: Path) -> None:
    """The usual `.venv` lies in the project."""
    venv = project.root / ".venv"
    run(project.root, "", TOOLS / "python", "-m", "venv", "--without-pip", venv)
    [site] = venv.glob("lib/python*/site-packages")
    for path in lab.iterdir():
        path.rename(site / path.name)
    toolkit = os.pathsep.join([str(TESTS_ROOT / "src"), *_site_packages()])
    done = run(project.root, toolkit, venv / "bin" / "python", "-P", "-c", LIST_COMMANDS, "")
    assert json.loads(done.stdout)[0] == ["quota"]


def _site_packages() -> list[str]:
    """Where the packages of the tests are."""
    return [str(path) for path in TOOLS.parent.glob("lib/python*/site-packages")]


def test_an_older_version_behind_is_not_loaded(project: Project, lab: Path, tmp_path: Path) -> None:
    old = install(tmp_path / "old", "lab_tools", "1 / 0", GROUPS, version="0.9")
    found, _, stderr = commands(project.root, os.pathsep.join([str(lab), str(old)]))
    assert (found, stderr) == (["quota"], "")


def test_a_group_without_plugins_costs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(entry_points.load("dvc_bucket.nothing", lambda *_: None)) == []
    assert capsys.readouterr().err == ""
