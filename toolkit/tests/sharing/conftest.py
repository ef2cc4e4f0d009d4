"""A project on the embedded store, with data of two commits, and clones of it with their own."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import obstore
import pytest

from dvc_bucket import Project, Settings, upload
from dvc_bucket.base import ports
from dvc_bucket.git.lfs_layout import key
from tests.clones import TOOLS, Clone
from tests.conftest import discard
from tests.projects import copy_files

#: What clones have of the fixture project.
FILES = (
    *(".dvc/config", ".dvcignore", ".env.example", ".gitignore", "pyproject.toml", "README.md"),
    *("CITATION.cff", "LICENSE", "data/README.md"),
)

#: The table in the older and in the newer commit.
OLD, NEW = b"day,level\n1,2\n", b"day,level\n1,2\n2,3\n"

#: An object that was published beside DVC's, and its content.
PUBLISHED, RAW = "published/levels.csv", b"raw levels\n"

#: A file of Git LFS, and the pointer that git has of it.
FIGURE = b"a figure\n"
FIGURE_SHA256 = hashlib.sha256(FIGURE).hexdigest()
POINTER = (
    f"version https://git-lfs.github.com/spec/v1\noid sha256:{FIGURE_SHA256}\nsize {len(FIGURE)}\n"
)

#: Objects below the prefix: two tables, three images, their list, the figure.
OBJECTS = 7


def clone_at(root: Path) -> Clone:
    """For commands in a clone, with an environment that says nothing of a store."""
    foreign = ("OS_", "AWS_", "DVC_", "GIT_")
    inherited = {name: os.environ[name] for name in os.environ if not name.startswith(foreign)}
    own = {"PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}", "GIT_CONFIG_NOSYSTEM": "1"}
    own |= {"HOME": str(root.parent)}  # nobody's AWS files, nobody's git configuration
    for role in ("AUTHOR", "COMMITTER"):
        own |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.org"}
    return Clone(root, inherited | own)


def commit(clone: Clone, message: str) -> str:
    clone.run("git", "add", ".")
    clone.run("git", "commit", "-q", "-m", message)
    return clone.run("git", "rev-parse", "HEAD").stdout.strip()


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """The clone of the person who made the data and pushed it; tests leave its store as it is."""
    root = tmp_path_factory.mktemp("first") / "project"
    project = copy_files(root, FILES)
    endpoint = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
    for file in (project.dvc_config, root / "data/README.md"):
        file.write_text(file.read_text().replace("http://127.0.0.1:8333", endpoint))
    clone = clone_at(root)
    clone.run("git", "init", "-q", "--initial-branch=main")
    clone.run("bucket", "serve")
    (root / "images").mkdir()
    for number in range(3):
        (root / "images" / f"{number}.bin").write_bytes(bytes([number]) * 1000)
    (root / "figure.bin").write_text(POINTER)
    for table in (OLD, NEW):
        (root / "table.csv").write_bytes(table)
        clone.run("bucket", "add", "table.csv", "images")
        commit(clone, f"{len(table)} bytes")
    clone.run("bucket", "push", "--all-commits")
    source, settings = root.with_name("raw"), Settings.load(project)
    source.write_bytes(RAW)
    upload(source, PUBLISHED, settings=settings)
    obstore.put(settings.obstore(), key("river-levels", FIGURE_SHA256), FIGURE)
    yield clone
    discard(project)


@pytest.fixture
def another(first: Clone, tmp_path: Path) -> Iterator[Callable[[str], Clone]]:
    """Makes clones of it as a collaborator does; their stores are stopped at the end."""
    made: list[Clone] = []

    def make(name: str = "second") -> Clone:
        first.run("git", "clone", "-q", str(first.root), str(tmp_path / name))
        made.append(clone_at(tmp_path / name))
        return made[-1]

    yield make
    for clone in made:
        discard(Project(clone.root))
