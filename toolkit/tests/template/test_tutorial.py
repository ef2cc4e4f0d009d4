"""The commands of docs/tutorial.md, as they stand there, with the tools of this environment."""

import os
from pathlib import Path

import pytest

from tests.template.projects import clone_of_template, release
from tests.template.tutorial import follow, tools_of_the_tests


@pytest.mark.timeout(600)
def test_the_tutorial_leads_to_a_figure(tmp_path: Path) -> None:
    clone = clone_of_template(tmp_path / "template")
    release(clone, "999.0.0")
    tools = tools_of_the_tests(tmp_path / "tools")
    follow(clone, tmp_path, PATH=os.pathsep.join([str(tools), clone.environment["PATH"]]))
