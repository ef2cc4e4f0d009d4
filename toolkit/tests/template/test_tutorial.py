"""The commands of docs/tutorial.md, as they stand there, in an empty home."""

import os
from pathlib import Path

import pytest

from dvc_bucket import Project
from tests.clones import Clone
from tests.conftest import discard
from tests.template.projects import clone_of_template, release
from tests.template.tutorial import script, tools_of_the_tests


@pytest.mark.timeout(600)
def test_the_tutorial_leads_to_a_figure(tmp_path: Path) -> None:
    clone = clone_of_template(tmp_path / "template")
    release(clone, "999.0.0")
    tools = tools_of_the_tests(tmp_path / "tools")
    (tmp_path / "home").mkdir()
    variables = clone.environment | {
        "HOME": str(tmp_path / "home"),
        "PATH": os.pathsep.join([str(tools), clone.environment["PATH"]]),
    }
    del variables["PYTHONPATH"]
    root = tmp_path / "rivers"
    try:
        Clone(clone.root, variables, timeout=560).run("bash", "-c", script())
    finally:
        if root.exists():
            discard(Project(root))
    assert "<svg" in (root / "reports" / "levels.svg").read_text()
    assert not Clone(root, variables).run("git", "status", "--porcelain").stdout
