"""`make new`: a project of the last release, with a history of its own, or nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.clones import Clone
from tests.template.conftest import VERSION
from tests.template.projects import clone_of_template


def make_new(
    clone: Clone, folder: Path | str, args: str = "--defaults", **changes: str
) -> "subprocess.CompletedProcess[str]":
    words = ["make", "-o", ".venv/.installed", "new", f"DIR={folder}", f"ARGS={args}"]
    return clone.run(*words, check=False, **changes)


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def refused(clone: Clone, folder: Path | str, args: str = "--defaults", **changes: str) -> str:
    """What is said where no project is made; nothing is left beside it."""
    parent = clone.root.parent
    before = sorted(parent.iterdir())
    done = make_new(clone, folder, args, **changes)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert sorted(parent.iterdir()) == before
    return done.stderr


@pytest.fixture(scope="module")
def mine(released: Clone) -> Path:
    """A project made by `make new`."""
    folder = released.root.parent / "mine"
    answers = released.root.parent / "answers.yml"
    answers.write_text("project_name: river-atlas\nauthor: The river lab\nforge: none\n")
    done = make_new(released, folder, f"--defaults --data-file {answers}")
    assert f"release v{VERSION}" in done.stdout
    return folder


def test_the_history_is_one_commit_with_every_file_and_no_origin(mine: Path) -> None:
    assert git(mine, "rev-list", "--count", "HEAD") == "1"
    assert not git(mine, "status", "--porcelain", "--ignored")
    assert not git(mine, "remote")
    assert not git(mine, "tag")
    assert git(mine, "branch", "--show-current") == "main"
    assert "data/raw/measurements.csv" in git(mine, "ls-files").split()


def test_the_answers_name_the_origin_without_its_password_and_no_path(
    mine: Path, released: Clone
) -> None:
    answers = (mine / ".copier-answers.yml").read_text()
    assert f"_commit: v{VERSION}\n" in answers
    assert "_src_path: https://example.org/lab/template.git\n" in answers
    assert "project_name: river-atlas\n" in answers
    for path in mine.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"somebody:secret" not in content
            assert str(released.root.parent).encode() not in content, path


def test_without_a_tag_it_is_of_the_commit_that_changed_the_wheel(
    released: Clone, tmp_path: Path
) -> None:
    root = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", "--no-tags", str(released.root), str(root))
    (root / ".venv").symlink_to((released.root / ".venv").resolve())
    clone = Clone(root, released.environment | {"PYTHONPATH": ""})
    (root / "template/skeleton/params.yaml").write_text("not released\n")
    clone.run("git", "commit", "--quiet", "--all", "--message", "After the release")
    done = make_new(clone, tmp_path / "mine")
    assert done.returncode == 0
    assert "max_celsius" in (tmp_path / "mine" / "params.yaml").read_text()
    assert "does not know its template" in done.stdout  # the origin is a path
    assert "_src_path" not in (tmp_path / "mine" / ".copier-answers.yml").read_text()


def test_a_clone_without_a_release_says_so(tmp_path: Path) -> None:
    clone = clone_of_template(tmp_path / "template")
    assert "no release" in refused(clone, tmp_path / "mine")


def test_a_folder_that_is_taken_or_cannot_be_is_named(released: Clone, mine: Path) -> None:
    assert f"{mine} exists already" in refused(released, mine)
    assert "Which folder?" in refused(released, "")
    assert "is inside this clone" in refused(released, "mine")
    assert "There is no folder" in refused(released, mine.parent / "none" / "mine")


def test_a_wrong_answer_and_no_terminal_leave_nothing(released: Clone) -> None:
    folder = released.root.parent / "other"
    assert "No project was made" in refused(released, folder, "")
    wrong = "--defaults --data project_name=Wrong"
    assert "Lower-case letters" in refused(released, folder, wrong)
    assert "--data kind gives no value" in refused(released, folder, "--defaults --data kind")
    assert "none.yml holds no answers" in refused(released, folder, "--data-file none.yml")
    assert "Four groups" in refused(released, folder, "--defaults --data orcid=12")


def test_without_a_name_for_git_nothing_is_made(released: Clone, tmp_path: Path) -> None:
    config = {"HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    nobody = config | dict.fromkeys(
        ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"), ""
    )
    said = refused(released, released.root.parent / "other", **nobody)
    assert "git config --global user.name" in said


def test_copier_alone_asks_for_no_trust(released: Clone, tmp_path: Path) -> None:
    words = ["copier", "copy", "--defaults", str(released.root), str(tmp_path / "mine")]
    assert "git init" in released.run(*words).stderr
    answers = (tmp_path / "mine" / ".copier-answers.yml").read_text()
    assert f"_commit: v{VERSION}\n" in answers
    assert "_src_path" not in answers
