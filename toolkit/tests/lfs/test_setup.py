"""`bucket lfs setup`: what it puts where, beside what others put there, and back."""

import os
import shutil
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.git.hooks import push as push_hook
from tests.clones import TOOLS
from tests.lfs.lfs_tools import (
    TRACKED,
    add_files,
    clone_of,
    contents_of,
    key_of,
    make_origin,
    needs_git_lfs,
    run,
)
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.verify.published import Published

pytestmark = needs_git_lfs


@pytest.fixture(scope="module")
def original(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Published, dict[str, bytes]]:
    """A clone that has pushed a file."""
    store: StoreAccess = access(request, "seaweed")
    made = make_origin(tmp_path_factory.mktemp("lfs") / "clone", store)
    contents = add_files(made, {"one": 1000})
    made.git("push", "-q", "-u", "origin", "main")
    return made, contents


@pytest.fixture
def clone(original: tuple[Published, dict[str, bytes]], tmp_path: Path) -> Published:
    """Another one, set up, its file not here yet."""
    return clone_of(original[0], tmp_path / "clone")


def configuration(clone: Published) -> str:
    text = clone.git("config", "--local", "--list") + "\n"
    hook = clone.root / ".git" / "hooks" / "pre-push"
    return text + (hook.read_text() if hook.exists() else "")


def test_twice_is_once_and_undone_is_as_before(clone: Published) -> None:
    done = configuration(clone)
    assert clone.store.secret_access_key not in done
    assert str(clone.root) not in done
    clone.clone.run("bucket", "lfs", "setup")
    assert configuration(clone) == done
    said = clone.clone.run("bucket", "lfs", "setup", "--undo").stdout
    assert "uses the LFS server" in said
    undone = configuration(clone)
    assert "bucket" not in undone
    assert not (clone.root / ".git" / "bucket-lfs-agent").exists()
    clone.clone.run("bucket", "lfs", "setup", "--undo")
    assert configuration(clone) == undone
    clone.clone.run("bucket", "lfs", "setup")
    assert sorted(configuration(clone).splitlines()) == sorted(done.splitlines())


def test_it_works_from_any_folder_any_work_tree_and_after_a_move(
    clone: Published, original: tuple[Published, dict[str, bytes]], tmp_path: Path
) -> None:
    moved = clone.root.rename(tmp_path / "moved to é")
    deep = Published(moved / "deep", clone.store, clone.prefix)
    deep.root.mkdir()
    deep.git("lfs", "pull")
    assert contents_of(Published(moved, clone.store, clone.prefix)) == original[1]
    shutil.rmtree(moved / ".git" / "lfs" / "objects")
    deep.git("-c", "filter.lfs.required=false", "worktree", "add", "-q", str(tmp_path / "linked"))
    linked = Published(tmp_path / "linked", clone.store, clone.prefix)
    assert contents_of(linked) == original[1]


def test_without_a_set_up_git_says_what_to_do(clone: Published) -> None:
    (clone.root / ".venv").unlink()
    done = run(clone, "git", "lfs", "pull")
    assert done.returncode
    assert "Run `make setup`, then git again" in done.stderr


FORGES = {
    "https://me:token@forge.example.org/group/work": "https://forge.example.org/group/work.git",
    "git@forge.example.org:group/work.git": "https://forge.example.org/group/work.git",
    "ssh://git@forge.example.org:2222/group/work.git": "https://forge.example.org/group/work.git",
}


def test_the_url_of_a_forge_is_what_git_lfs_makes_of_it(clone: Published) -> None:
    clone.git("lfs", "pull")
    for url, scope in FORGES.items():
        clone.clone.run("bucket", "lfs", "setup", "--undo")
        clone.git("remote", "set-url", "origin", url)
        clone.clone.run("bucket", "lfs", "setup", "--remote", "origin")
        assert f"lfs.{scope}/info/lfs.standalone" in clone.git("config", "--local", "--list")
        content = url.encode()
        (clone.root / TRACKED / "two").write_bytes(content)
        clone.commit()
        clone.git("lfs", "push", "origin", "main")
        assert clone.get(key_of(content)) == content


def test_a_remote_that_is_none_is_said(clone: Published) -> None:
    done = run(clone, "bucket", "lfs", "setup", "--remote", "forge")
    assert done.returncode == 1
    assert "has no remote forge" in done.stderr
    clone.git("remote", "set-url", "origin", "../origin.git")
    done = run(clone, "bucket", "lfs", "setup")
    assert done.returncode == 1
    assert "git remote set-url origin" in done.stderr
    clone.git("remote", "remove", "origin")
    assert "has no git remote" in run(clone, "bucket", "lfs", "setup").stderr
    (clone.root.parent / "bin").mkdir()
    (clone.root.parent / "bin" / "git").symlink_to(str(shutil.which("git")))
    path = os.pathsep.join([str(TOOLS), str(clone.root.parent / "bin")])
    done = run(clone, "bucket", "lfs", "setup", PATH=path)
    assert done.returncode == 1
    assert "bucket: git-lfs is not installed" in done.stderr


@pytest.mark.parametrize("other", ["dvc", "both"])
def test_hooks_of_others_and_ours_send_objects_and_do_their_own(
    original: tuple[Published, dict[str, bytes]], tmp_path: Path, other: str
) -> None:
    clone = clone_of(original[0], tmp_path / "clone")
    clone.clone.run("bucket", "lfs", "setup", "--undo")
    hook = clone.root / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\ncat >>said\n")
    if other == "both":
        assert push_hook.HOOK.install(Project(clone.root))
    before = hook.read_text()
    clone.clone.run("bucket", "lfs", "setup")
    contents = add_files(clone, {"two": 500})
    clone.track("lost.bin", other.encode())
    clone.commit("Data that is not on the remote")
    done = run(clone, "git", "push", "-q", "origin", f"main:{other}")
    assert (done.returncode, "Push refused" in done.stderr) == (
        (1, True) if other == "both" else (0, False)
    )
    assert clone.get(key_of(contents["two"])) == contents["two"]
    assert (clone.root / "said").read_text().startswith("refs/heads/main ")
    clone.clone.run("bucket", "lfs", "setup", "--undo")
    assert hook.read_text() == before


def test_the_hook_against_pushes_without_data_keeps_that_of_git_lfs(clone: Published) -> None:
    assert "runs first" in str(push_hook.HOOK.install(Project(clone.root)))
    hook = clone.root / ".git" / "hooks" / "pre-push"
    text = hook.read_text()
    clone.clone.run("bucket", "lfs", "setup")
    assert hook.read_text() == text
    assert "git lfs pre-push" in hook.with_name("pre-push.local").read_text()
