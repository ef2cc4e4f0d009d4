"""The fixture project's ignore rules in a project on the session's store."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.projects import FIXTURE
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.verify.published import Published, empty

#: What decides which files git and DVC see.
RULES = (".gitignore", ".dvcignore")


@pytest.fixture
def empty_project(empty_original: Published, tmp_path: Path) -> Published:
    """Committed, without data; its remote is a prefix of its own."""
    return empty_original.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def empty_original(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """The project that every test gets a copy of."""
    files = {name: (FIXTURE / name).read_text() for name in RULES}
    return committed(
        tmp_path_factory.mktemp("empty") / "project", access(request, "seaweed"), files
    )


def committed(root: Path, store: StoreAccess, files: Mapping[str, str]) -> Published:
    """A project without data that has these files, committed."""
    made = empty(root, store)
    for name, text in files.items():
        (made.root / name).write_text(text)
    links = '[cache]\n    type = "reflink,hardlink,symlink,copy"\n'
    made.project.dvc_config.write_text(links + made.project.dvc_config.read_text())
    (made.root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    made.commit("As cloned")
    return made


def offline(project: Published) -> Published:
    """The same project and no store: nothing listens where its settings lead."""
    nowhere = replace(project.store, endpoint_url="http://127.0.0.1:9")
    text = "".join(f"{name}={value}\n" for name, value in nowhere.env.items())
    project.project.env_file.write_text(text)
    return replace(project, store=nowhere)
