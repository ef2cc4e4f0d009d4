"""Parts of `make update`: lock files, changelog, answers, and what a person is told."""

import re
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import ProjectError, UpdateError
from dvc_bucket.git import answers
from dvc_bucket.git.contents import Repository
from dvc_bucket.jobs.update import locks, notes
from dvc_bucket.jobs.update.merge import Merge
from dvc_bucket.jobs.update.template import clone
from tests import TESTS_ROOT
from tests.template.updates import Edit


@pytest.mark.parametrize(
    ("path", "then"),
    [
        ("Makefile", "make lock && make updated"),
        ("a/pyproject.toml", "make lock && make updated"),
        ("dvc.yaml", "make updated"),
    ],
)
def test_packages_are_locked_when_a_conflict_in_what_they_need_is_resolved(
    tmp_path: Path, path: str, then: str
) -> None:
    repository = Repository.of(Project(TESTS_ROOT))
    conflict = Merge(repository, tmp_path, "", "", {path: {}})
    assert conflict.advice.endswith(f"git add {path} && {then}")


def test_a_project_of_a_clone_without_a_url_says_where_the_template_may_be(tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match="make update FROM=URL"):
        clone("", tmp_path / "template")


PINS = "--find-links vendor\n\na==1 \\\n    --hash=1\nb==1 ; x \\\n    --hash=1\n    --hash=2\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        (("a==1", "a==2"), ("b==1", "b==3"), ["a==2", "b==3"]),
        (("a==1", "a==2"), ("a==1", "a==3"), ["a==3", "b==1"]),
        (("b==1", "aa==1 \\\n    --hash=1\nb==1"), ("a==1", "a==2"), ["a==2", "aa==1", "b==1"]),
        (("b==1", "b==2"), ("a==1 \\\n    --hash=1\n", ""), ["a==1", "b==2"]),
        (("a==1 \\\n    --hash=1\n", ""), ("b==1", "b==2"), ["b==2"]),
    ],
)
def test_lock_files_are_merged_by_package(ours: Edit, theirs: Edit, merged: list[str]) -> None:
    text = locks.merged(PINS, PINS.replace(*ours), PINS.replace(*theirs))
    assert text.startswith("--find-links vendor\n\n")
    assert re.findall(r"^\w+==\d", text, re.MULTILINE) == merged
    assert text.count("--hash=") == len(merged) + 1


def test_the_changelog_says_what_the_versions_between_ask_for() -> None:
    asked = "\n\n### What to do\n\n"
    text = (
        f"## Unreleased{asked}- never\n\n## 1.10.0 (2026){asked}- c\n  d\n\n### Other\n\n- x\n\n"
        f"## 1.9.0 (2026)\n\n- y\n\n## 1.2.0 (2025){asked}- a\n"
    )
    assert list(notes.to_do("1.2.0", "1.10.0", text)) == [("1.10.0", "- c\n  d")]
    assert [version for version, _ in notes.to_do("", "1.10.0", text)] == ["1.2.0", "1.10.0"]
    assert list(notes.to_do("1.10.0", "1.10.0", text)) == []
    assert list(notes.to_do("0.0.1", "0.0.1")) == []


def test_answers_that_are_no_answers_are_named() -> None:
    for text in ("a: [", "- a", "", "a: b: c"):
        with pytest.raises(ProjectError, match=f"{answers.FILE} is not a file that copier writes"):
            answers.parse(text)
    assert answers.parse("_commit: v1.2.3-4-gabc").version == ""
