"""A clone with outputs, and what its folders may hold that it did not write."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dvc_bucket.dvc import written
from tests.bucket.git_tools import Repo
from tests.provenance import made

#: What a refusal says of a file or folder that the command did not write.
NOT_OURS = r"[Tt]his command did not write .*was changed later"

#: What a folder can hold that we did not write: by its name, how it gets there.
FOREIGN: dict[str, Callable[[Path], object]] = {
    "a file": lambda folder: (folder / "mine.csv").write_text("the only copy"),
    "a file deep inside": lambda folder: _write(folder / "a" / "b" / "mine.csv"),
    "a hidden file": lambda folder: (folder / ".mine").write_text("the only copy"),
    "an edited file of ours": lambda folder: (folder / "page.html").write_text("by hand"),
    "a link to a file": lambda folder: (folder / "link").symlink_to("/etc/hostname"),
    "a link to a folder": lambda folder: (folder / "link").symlink_to("/etc"),
    "a link in the place of our file": lambda folder: _link(folder / "page.html"),
    "an empty folder": lambda folder: (folder / "empty").mkdir(),
    "a pipe": lambda folder: os.mkfifo(folder / "pipe"),
    "a crate's name": lambda folder: (folder / "ro-crate-metadata.json").write_text("{}"),
}


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("the only copy")


def _link(path: Path) -> None:
    (path.parent.parent / "elsewhere.html").write_text("page")
    path.unlink()
    path.symlink_to("../elsewhere.html")


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return made.make(tmp_path_factory.mktemp("outputs") / "clone")


@pytest.fixture
def here(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.chdir(repo.root)
    return repo


def seen(folder: Path) -> dict[str, object]:
    """All that is in a folder: contents of files, where links lead."""
    return {
        str(path.relative_to(folder)): path.readlink()
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else path.stat().st_mode
        for path in folder.rglob("*")
    }


def write_page(folder: Path, repo: Repo, text: str = "page") -> None:
    with written.new_folder(folder, repo.project) as new:
        (new / "page.html").write_text(text)
        (new / "static").mkdir()
        (new / "static" / "image.svg").write_text(text)
