"""`make release`: wheel, pin, version, changelog and tag in one commit, or nothing."""

import re
import zipfile
from pathlib import Path

import pytest

from tests.clones import Clone
from tests.template.conftest import VERSION
from tests.template.projects import clone_of_template

CHANGELOG = "toolkit/CHANGELOG.md"
VENDOR = "template/project/vendor"


def said(clone: Clone, *words: str) -> str:
    return clone.run("git", *words).stdout.strip()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone that tests try to release from; each leaves it as it was."""
    return clone_of_template(tmp_path_factory.mktemp("unreleased") / "template")


def test_a_release_is_one_commit_with_wheel_pin_version_changelog_and_tag(released: Clone) -> None:
    assert said(released, "rev-list", "--count", "HEAD") == "2"
    changed = set(said(released, "diff", "--name-only", "--no-renames", "HEAD^").split())
    wheel = f"{VENDOR}/dvc_bucket-{VERSION}-py3-none-any.whl"
    gone = {name for name in changed if name.endswith(".whl")} - {wheel}
    assert changed - gone == {CHANGELOG, "toolkit/pyproject.toml", f"{VENDOR}/pin.txt", wheel}
    assert said(released, "ls-files", f"{VENDOR}/*.whl") == wheel
    assert said(released, "rev-parse", f"v{VERSION}^{{commit}}") == said(
        released, "rev-parse", "HEAD"
    )
    assert not said(released, "status", "--porcelain")
    assert f"## Unreleased\n\n## {VERSION} (" in (released.root / CHANGELOG).read_text()
    with zipfile.ZipFile(released.root / wheel) as archive:
        metadata = archive.read(f"dvc_bucket-{VERSION}.dist-info/METADATA").decode()
    assert f"Version: {VERSION}\n" in metadata


def refused(clone: Clone, *words: str, **changes: str) -> str:
    """What a release says that is refused and changes nothing."""
    before = said(clone, "rev-parse", "HEAD"), said(clone, "status", "--porcelain")
    done = clone.run("make", "-o", ".venv/.installed", "release", *words, check=False, **changes)
    assert done.returncode == 2
    assert (said(clone, "rev-parse", "HEAD"), said(clone, "status", "--porcelain")) == before
    assert not said(clone, "tag", "--list", "v*")
    assert len(said(clone, "worktree", "list").splitlines()) == 1
    return done.stderr


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.2.3rc1"])
def test_a_version_is_three_numbers(clone: Clone, version: str) -> None:
    assert "three numbers" in refused(clone, f"VERSION={version}", "TOOLKIT=true")


def test_a_release_of_a_changed_tree_is_refused(clone: Clone) -> None:
    changed = clone.root / "params.yaml"
    before = changed.read_text()
    changed.write_text(f"{before}\n")
    assert "Commit or put away your changes first" in refused(
        clone, "VERSION=999.0.0", "TOOLKIT=true"
    )
    changed.write_text(before)


def test_a_release_with_a_red_golden_test_is_refused(clone: Clone) -> None:
    refused(clone, "VERSION=999.0.0", "TOOLKIT=false")


def test_a_release_whose_commit_fails_leaves_nothing_behind(clone: Clone) -> None:
    hook = clone.root / ".git/hooks/commit-msg"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert "git commit" in refused(clone, "VERSION=999.0.0", "TOOLKIT=true")
    hook.unlink()


def test_a_release_is_newer_than_the_last(released: Clone) -> None:
    for version in ("0.0.1", VERSION):
        done = released.run("python", "template/release.py", version, check=False)
        assert done.returncode == 1
        assert f"is not newer than {VERSION}" in done.stderr


def test_a_release_of_which_the_changelog_says_nothing_is_refused(released: Clone) -> None:
    done = released.run("python", "template/release.py", "999.0.1", check=False)
    assert done.returncode == 1
    assert f"{CHANGELOG} says nothing" in done.stderr


def test_the_makefile_runs_the_golden_test_before_it_releases() -> None:
    from tests.end_to_end.clones import REPOSITORY

    recipe = Path(REPOSITORY / "Makefile").read_text().partition("\nrelease: ")[2]
    steps = re.findall(r"^\t@(.*)$", recipe, re.MULTILINE)[:3]
    assert [step.split()[-1] for step in steps] == ['"$(VERSION)"', "golden", '"$(VERSION)"']
