"""`bucket add` and `import` track all data that they are given, or say what they do not track."""

import os
import socket
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clones import TOOLS
from tests.verify.published import Published

#: What opens for reading and never ends, or does not open, by its kind: how it gets there.
SPECIAL: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a socket": lambda path: socket.socket(socket.AF_UNIX).bind(os.path.relpath(path)),
}


@pytest.fixture
def pictures(empty_project: Published, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(empty_project.root)
    folder = empty_project.root / "pictures"
    folder.mkdir()
    (folder / "1.png").write_text("1")
    return folder


def add(project: Published, data: str, word: str = "add") -> subprocess.CompletedProcess[str]:
    clone = replace(project.clone, timeout=60)
    return clone.run(TOOLS / "bucket", word, data, check=False)


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_special_file_is_one_sentence_and_no_hang(
    kind: str, empty_project: Published, pictures: Path
) -> None:
    SPECIAL[kind](pictures / "odd")
    for data in ("pictures", "pictures/odd"):
        done = add(empty_project, data)
        assert done.returncode == 1
        assert done.stderr.startswith("bucket: pictures/odd is neither a file nor a folder")
        assert done.stderr.count("\n") == 1
    (empty_project.root / ".dvcignore").write_text("odd\n")
    assert add(empty_project, "pictures").returncode == 0


def test_a_link_to_a_folder_is_named(empty_project: Published, pictures: Path) -> None:
    (empty_project.root / "elsewhere").mkdir()
    (empty_project.root / "elsewhere" / "2.png").write_text("2")
    (pictures / "more").symlink_to("../elsewhere")
    done = add(empty_project, "pictures")
    assert "bucket: pictures/more is a link to a folder, which DVC does not follow" in done.stderr
    (empty_project.root / ".dvcignore").write_text("more\n")
    assert "link" not in add(empty_project, "pictures").stderr


@pytest.mark.parametrize("data", [".env", "copy.txt", "pictures", ".git"])
def test_credentials_are_not_tracked(
    data: str, empty_project: Published, pictures: Path, tmp_path: Path
) -> None:
    env = empty_project.root / ".env"
    if data == "copy.txt":  # and `.env` is itself a link, as some keep it
        env.rename(tmp_path / "settings")
        env.symlink_to(tmp_path / "settings")
    (empty_project.root / "copy.txt").symlink_to(".env")
    (pictures / "2.png").symlink_to("../.env")
    for word in ("add", "import-url"):
        done = add(empty_project, data, word)
        assert (done.returncode, "can contain credentials" in done.stderr) == (1, True)
    assert not empty_project.git("status", "--short", "*.dvc", ".*.dvc")


@pytest.mark.parametrize("name", ["new\nline.csv", "space "])
def test_data_that_git_cannot_ignore_is_refused(
    name: str, empty_project: Published, pictures: Path
) -> None:
    (empty_project.root / name).write_text("1")
    assert "git cannot ignore a name" in add(empty_project, name).stderr
    (pictures / name).write_text("1")
    assert add(empty_project, "pictures").returncode == 0
    assert (empty_project.root / ".gitignore").read_text().endswith("/pictures\n")


def test_a_path_that_another_repository_lacks_is_one_sentence(empty_project: Published) -> None:
    words = ("import", str(empty_project.root), "nothing.csv", "--out", "copy.csv")
    done = empty_project.clone.run(TOOLS / "bucket", *words, check=False)
    assert "ERROR: There is no nothing.csv at the revision that was read." in done.stderr
    assert "troubles" not in done.stderr


def test_data_is_not_moved_onto_other_data(empty_project: Published, pictures: Path) -> None:
    """DVC replaces what has the new name, tracked or not."""
    root = empty_project.root
    (root / "data.csv").write_text("tracked")
    (pictures / "data.csv").write_text("the only copy")
    (root / "mine.csv").write_text("the only copy")
    add(empty_project, "data.csv")
    for word, target in (("move", "mine.csv"), ("mv", "pictures")):
        done = empty_project.clone.run(TOOLS / "bucket", word, "data.csv", target, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert "data.csv exists, and DVC would replace it" in done.stderr or target == "mine.csv"
        assert done.stderr.count("\n") == 1
    assert (root / "mine.csv").read_text() == (pictures / "data.csv").read_text() == "the only copy"
    empty_project.clone.run(TOOLS / "bucket", "move", "data.csv", "new.csv")
    assert (root / "new.csv").read_text() == "tracked"
