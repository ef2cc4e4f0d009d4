"""The tutorial as a script: its blocks of shell, and its files where they are given."""

import re
import shlex
from pathlib import Path

from dvc_bucket import Project
from tests import TESTS_ROOT
from tests.clones import Clone
from tests.conftest import discard

PAGE = TESTS_ROOT / "docs" / "tutorial.md"

BLOCK = re.compile(r"^```(sh|python (\S+))\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def script() -> str:
    """The commands of the page in their order, ended by the first that fails."""
    steps = ["set -eux"]
    for kind, file, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "sh":
            steps.append(text)
        else:
            steps.append(f"printf %s {shlex.quote(text)} >{shlex.quote(file)}")
    return "\n".join(steps)


def follow(template: Clone, folder: Path, **variables: str) -> Clone:
    """Type the commands in a clone of the template, in an empty home; the project that they make.

    Args:
        template: has a release.
        folder: with the clone in it; the project and the home are made there, too.
        variables: changes of the environment.
    """
    home, root = folder / "home", folder / "rivers"
    home.mkdir()
    environment = template.environment | {"HOME": str(home)} | variables
    del environment["PYTHONPATH"]
    try:
        Clone(template.root, environment, timeout=1200).run("bash", "-c", script())
    finally:
        if root.exists():
            discard(Project(root))
    project = Clone(root, environment)
    assert "<svg" in (root / "reports" / "levels.svg").read_text()
    assert not project.run("git", "status", "--porcelain").stdout
    return project
