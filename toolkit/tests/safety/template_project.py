"""A project with the ignore rules and the Makefile of this template, on the session's store."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.end_to_end.clones import REPOSITORY
from tests.stores.fixtures import access
from tests.verify.published import Published, empty

#: What decides in the template which files git and DVC see, and what `make` does.
FILES = (".gitignore", ".dvcignore", "Makefile")


@pytest.fixture
def template(template_original: Published, tmp_path: Path) -> Published:
    """Committed, without data; its remote is a prefix of its own."""
    return template_original.copy(tmp_path / "project")


@pytest.fixture(scope="session")
def template_original(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """The project that every test gets a copy of."""
    made = empty(tmp_path_factory.mktemp("template") / "project", access(request, "seaweed"))
    for name in FILES:
        (made.root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, made.root / name)
    links = '[cache]\n    type = "reflink,hardlink,symlink,copy"\n'
    made.project.dvc_config.write_text(links + made.project.dvc_config.read_text())
    (made.root / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    made.commit("As cloned")
    return made


def make(project: Published, *words: str) -> None:
    """Run `make` with the environment of the tests in the place of its own set-up."""
    project.clone.make(*words)


def offline(project: Published) -> Published:
    """The same project and no store: nothing listens where its settings lead."""
    nowhere = replace(project.store, endpoint_url="http://127.0.0.1:9")
    text = "".join(f"{name}={value}\n" for name, value in nowhere.env.items())
    project.project.env_file.write_text(text)
    return replace(project, store=nowhere)
