"""Clones of this repository as a newcomer has them, with a store of their own."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base import ports
from dvc_bucket.connection.env_file import create_env, set_endpoint
from tests.clones import Clone
from tests.conftest import discard
from tests.end_to_end.clones import REPOSITORY, copy_repository, environment
from tests.safety.project_tools import committed
from tests.stores.fixtures import access
from tests.verify.published import Published


@pytest.fixture(scope="session")
def make_clone() -> Iterator[Callable[..., Clone]]:
    """Makes clones whose stores use free ports; the stores are stopped at the end."""
    made: list[Project] = []

    def make(root: Path, **changes: str) -> Clone:
        root.mkdir(parents=True)
        copy_repository(root)
        project = Project(root)
        create_env(project)
        set_endpoint(project, f"http://127.0.0.1:{ports.free_ports(1)[0]}")
        made.append(project)
        return Clone(root, environment(root) | changes)

    yield make
    for project in made:
        discard(project)


@pytest.fixture
def template(request: pytest.FixtureRequest, tmp_path: Path) -> Published:
    """The template's ignore rules and Makefile, in a project on the session's store."""
    files = {
        name: (REPOSITORY / name).read_text() for name in (".gitignore", ".dvcignore", "Makefile")
    }
    return committed(tmp_path / "project", access(request, "seaweed"), files)


@pytest.fixture(scope="session")
def first_run(
    make_clone: Callable[..., Clone], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Clone, str]:
    """A clone in which `make reproduce` has run from nothing, where nobody develops; its output."""
    folder = tmp_path_factory.mktemp("reproduced") / "a folder of one's own, é"
    clone = make_clone(
        folder, TZ="Asia/Kathmandu", LC_ALL="C", PYTHONHASHSEED="7", OPENBLAS_NUM_THREADS="1"
    )
    done = clone.make("reproduce")
    ran = re.findall(r"Running stage '(\w+)'", done.stdout)
    assert ran == ["fetch", "validate", "clean", "features", "train", "evaluate", "report"]
    return clone, done.stdout


@pytest.fixture(scope="session")
def reproduced(first_run: tuple[Clone, str]) -> Clone:
    """The clone of the first run."""
    return first_run[0]


@pytest.fixture(scope="session")
def first_output(first_run: tuple[Clone, str]) -> str:
    """What the first run printed."""
    return first_run[1]
