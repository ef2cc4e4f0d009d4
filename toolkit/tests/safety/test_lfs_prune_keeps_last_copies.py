"""No local copy of a Git LFS object is pruned that the bucket does not have."""

import os
from pathlib import Path

import pytest

from dvc_bucket.git.hooks import configuration
from dvc_bucket.jobs.lfs.setup import NO_PRUNE
from tests.lfs.lfs_tools import TRACKED, add_files, key_of, make_origin, needs_git_lfs, run
from tests.stores.fixtures import access
from tests.verify.published import Published

pytestmark = needs_git_lfs

#: Versions of one file, one after another; the last one is checked out.
NAMES = ("missing", "damaged", "in parts", "whole", "side", "checked out")


@pytest.fixture
def pushed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Published, dict[str, bytes]]:
    """A clone whose bucket lost one object and damaged another."""
    clone = make_origin(tmp_path / "clone", access(request, "seaweed"))
    versions = {}
    for name in NAMES:
        if name == "side":
            clone.git("checkout", "-q", "-b", "side")
        [versions[name]] = add_files(clone, {"file": 3000}).values()
        if name == "side":
            clone.git("push", "-q", "origin", "side")
            clone.git("checkout", "-q", "main")
            clone.git("branch", "-q", "-D", "side")
    clone.git("push", "-q", "-u", "origin", "main")
    clone.delete(key_of(versions["missing"]))
    clone.put_with_plausible_tag(key_of(versions["damaged"]), os.urandom(3000))
    clone.put_with_plausible_tag(key_of(versions["in parts"]), versions["in parts"])
    return clone, versions


def here(clone: Published, versions: dict[str, bytes]) -> set[str]:
    """Versions of which git-lfs has a local copy."""
    folder = clone.root / ".git"
    return {
        name
        for name, content in versions.items()
        if (folder / key_of(content).replace("lfs/", "lfs/objects/", 1)).is_file()
    }


@pytest.mark.parametrize("options", [[], ["--verify-remote"], ["--force"], ["--recent"]])
def test_git_lfs_prune_removes_nothing_that_a_branch_needs(
    pushed: tuple[Published, dict[str, bytes]], options: list[str]
) -> None:
    clone, versions = pushed
    clone.git("-c", "lfs.fetchrecentcommitsdays=0", "lfs", "prune", *options)
    assert here(clone, versions) >= set(NAMES) - {"side"}


def test_git_lfs_prune_removes_nothing_that_only_a_remote_branch_or_no_branch_needs(
    pushed: tuple[Published, dict[str, bytes]],
) -> None:
    clone, versions = pushed
    clone.git("checkout", "-q", "--detach")
    for name in ("detached", "detached, too"):
        [versions[name]] = add_files(clone, {"file": 3000}).values()
    clone.git("lfs", "prune", "--verify-remote")
    assert here(clone, versions) == set(versions)


def test_bucket_lfs_prune_removes_what_the_bucket_is_proven_to_have(
    pushed: tuple[Published, dict[str, bytes]],
) -> None:
    clone, versions = pushed
    [versions["committed"]] = add_files(clone, {"new": 3000}).values()
    clone.git("rm", "-q", "--cached", f"{TRACKED}/new")
    said = clone.clone.run("bucket", "lfs", "prune", "--dry-run").stdout
    assert "Would remove 3 local objects (9.0 kB)" in said
    assert here(clone, versions) == set(versions)
    said = clone.clone.run("bucket", "lfs", "prune").stdout
    assert here(clone, versions) == {"missing", "damaged", "checked out", "committed"}
    assert "Removed 3 local objects (9.0 kB) that are in the bucket. Kept 1 that" in said
    assert "Kept 3 that may exist only here" in said
    for name in ("missing", "damaged", "committed"):
        assert f"  {key_of(versions[name]).rpartition('/')[2]}: " in said
    clone.git("lfs", "fetch", "origin", "HEAD~2")
    assert "whole" in here(clone, versions)


def test_a_store_that_does_not_answer_removes_nothing(
    pushed: tuple[Published, dict[str, bytes]],
) -> None:
    clone, versions = pushed
    done = run(clone, "bucket", "lfs", "prune", OS_SECRET_ACCESS_KEY="0" * 40)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert here(clone, versions) == set(versions)


def test_a_clone_of_before_is_set_up_again_and_own_settings_count_after_undo(
    pushed: tuple[Published, dict[str, bytes]],
) -> None:
    clone, versions = pushed
    for key, value in NO_PRUNE.items():
        configuration.drop(clone.root, key, value)
    clone.git("config", "lfs.pruneremotetocheck", "origin")
    said = clone.clone.run("bucket", "lfs", "setup").stdout
    assert "without checking the bucket" in said
    assert "`bucket lfs prune`" in said
    clone.git("lfs", "prune", "--verify-remote")
    assert here(clone, versions) == set(versions)
    clone.clone.run("bucket", "lfs", "setup", "--undo")
    assert configuration.get(clone.root, "lfs.pruneremotetocheck") == "origin"
    assert configuration.get(clone.root, "lfs.pruneoffsetdays") is None
