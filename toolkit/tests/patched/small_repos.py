"""Small repositories of git and DVC, whose snapshots tests compare with DVC's own words."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from dvc_bucket import Project
from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc.snapshot import Snapshot, Stage
from tests.bucket.git_tools import Repo
from tests.clones import TOOLS

#: A stage that copies a file, and one that copies the copy.
CHAIN = """
stages:
  copy:
    cmd: cp in.txt copy.txt
    deps: [in.txt]
    params: [size]
    outs: [copy.txt]
  last:
    cmd: cp copy.txt last.txt
    deps: [copy.txt]
    outs: [last.txt]
"""
FILES = {"in.txt": "one\n", "params.yaml": "size: 1\n", "dvc.yaml": CHAIN}


@dataclass(frozen=True)
class Small(Repo):
    """A repository of git and DVC."""

    def write_all(self, **files: str) -> None:
        for path, text in files.items():
            self.write(path, dedent(text))

    def dvc(self, *words: str) -> str:
        return self.run(TOOLS / "dvc", *words).stdout

    def save(self) -> str:
        """Commit everything; the id."""
        self.git("add", "--all")
        self.commit("--quiet", "--no-verify")
        return self.head

    def at(self, rev: str | None = None) -> Snapshot:
        return Snapshot.at(self.project, rev)

    def stages(self, rev: str | None = None) -> dict[str, Stage]:
        return {stage.name: stage for stage in self.at(rev).stages}

    def status(self) -> set[str]:
        """Names of what `dvc status` lists."""
        return set(json.loads(self.dvc("status", "--json")))

    def status_at(self, rev: str, clone: Path) -> set[str]:
        """The same in a clone that has all data of a revision."""
        self.git("clone", "--quiet", str(self.root), str(clone))
        other = Small(clone, Project(clone))
        other.git("checkout", "--quiet", rev)
        other.write(".dvc/config.local", f"[cache]\n    dir = {self.root / '.dvc/cache'}\n")
        other.run(TOOLS / "dvc", "checkout", "--quiet", "--allow-missing", check=False)
        return other.status()


def make(root: Path, **files: str) -> Small:
    root.mkdir(parents=True)
    small = Small(root, Project(root))
    small.git("init", "--quiet")
    small.write(".dvc/config", "[core]\n    analytics = false\n")
    small.write(".gitignore", "/.dvc/tmp\n/.dvc/cache\n/.dvc/config.local\n")
    small.write_all(**files)
    return small


@pytest.fixture
def repo(tmp_path: Path) -> Callable[..., Small]:
    return lambda **files: make(tmp_path / "a repository", **files)


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The chain, run and committed; nothing writes to it."""
    small = make(tmp_path_factory.mktemp("ran") / "a repository", **FILES)
    small.dvc("repro", "--quiet")
    small.save()
    return small


@pytest.fixture
def copied(ran: Small, tmp_path: Path) -> Small:
    """A copy of it."""
    root = tmp_path / "a repository"
    shutil.copytree(ran.root, root, symlinks=True)
    return Small(root, Project(root))


def paths(records: object) -> list[str]:
    return [one.path for one in records]  # type: ignore[attr-defined]


def md5(text: str) -> str:
    return dvc_hashes.of_bytes(text.encode())
