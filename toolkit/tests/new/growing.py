"""A project that grows: the fixture project in a repository of its own."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket import Project
from tests.bucket.git_tools import TOOLS, Repo
from tests.projects import FIXTURE, copy_files

#: Where a stage finds `python`, and what else this machine has.
ON_PATH = {"PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}


@dataclass(frozen=True)
class Growing(Repo):
    """The repository of the project."""

    def dvc(self, *words: str) -> None:
        self.run(TOOLS / "dvc", *words, env=ON_PATH)

    def pytest(self, *words: str) -> None:
        self.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words)

    def text(self, path: str) -> str:
        return (self.root / path).read_text()

    @property
    def changes(self) -> str:
        """What git sees."""
        return self.git("status", "--porcelain", "--untracked-files=all").stdout


def make(root: Path) -> Growing:
    """The fixture project, committed."""
    copy_files(root)
    project = Growing(root, Project(root))
    project.git("init", "--quiet")
    project.git("add", "--all")
    project.commit("--quiet", "--no-verify")
    assert (FIXTURE / "dvc.yaml").read_text() == project.text("dvc.yaml")
    return project
