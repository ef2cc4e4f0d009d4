"""The how-to pages, typed as they stand, in a new project with packages of its own."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket import Project
from tests import TESTS_ROOT
from tests.ci.running import let_be_set_up
from tests.clones import Clone
from tests.conftest import discard
from tests.end_to_end.clones import environment
from tests.template.projects import IDENTITY, make_new

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)

#: What a page takes for granted, and what is there when its commands have run.
PAGES = {
    "add-data": (
        'mkdir data/raw/stations && echo "Rhine,1.8" >data/raw/stations/upper.csv',
        ["data/raw/stations.dvc"],
    ),
    "publish": ("true", ["crate.zip"]),
    "add-a-stage": ("true", ["data/interim/peaks.csv", "tests/test_peaks.py"]),
    "leave": ("true", ["LEAVING.md", "requirements-plain.lock", "../plain-v1.0/data/raw"]),
}


def commands(page: str) -> str:
    """The blocks of a page as one script, ended by the first command that fails."""
    text = (TESTS_ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    return "\n".join(["set -eux", *BLOCK.findall(text)])


@pytest.fixture(scope="module")
def home(released: Clone, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An empty home, and who commits there."""
    cache = released.run("uv", "cache", "dir").stdout.strip()
    return IDENTITY | {"HOME": str(tmp_path_factory.mktemp("home")), "UV_CACHE_DIR": cache}


def at(root: Path, home: dict[str, str]) -> Clone:
    """A project, with the tools of its own environment."""
    variables = environment(root) | home
    del variables["PYTHONPATH"]
    variables["PATH"] = f"{root}/.venv/bin:{variables['PATH']}"
    return Clone(root, variables, timeout=600)


@pytest.fixture(scope="module")
def project(
    released: Clone, home: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Clone]:
    """A skeleton in which the main job has run."""
    root = make_new(released, tmp_path_factory.mktemp("how-to") / "rivers", name="rivers")
    project = at(root, home)
    project.run("make", f"PYTHON={sys.executable}", "reproduce")
    yield project
    discard(Project(root))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_typed(project: Clone, page: str) -> None:
    before, made = PAGES[page]
    project.run("bash", "-c", f"{before}\n{commands(page)}")
    assert not [name for name in made if not (project.root / name).exists()]


def test_a_folder_full_of_files_becomes_a_project(released: Clone, home: dict[str, str]) -> None:
    folder = released.root.parent / "old-folder" / "measurements"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("site,value\nA,1\n")
    let_be_set_up(released.root)  # the project sets up its own environment
    variables = released.environment | home
    del variables["PYTHONPATH"]
    root = released.root.parent / "rivers"
    try:
        Clone(released.root, variables, timeout=600).run("bash", "-c", commands("moving-in"))
        assert (root / "data/raw/measurements/a.csv").is_file()
        assert not at(root, home).run("git", "status", "--porcelain").stdout
    finally:
        if root.exists():
            discard(Project(root))
