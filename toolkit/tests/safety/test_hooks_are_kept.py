"""A person's own hooks and git configuration outlive ours: kept, run, and there on a full disk."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.lock import driver
from dvc_bucket.git.hooks import commit, configuration, push
from dvc_bucket.git.hooks.install import Hook
from tests.bucket.git_tools import Repo, make_repo

HOOKS = [pytest.param(hook, id=hook.name) for hook in (*commit.HOOKS, push.HOOK, push.LFS_ONLY)]


ADDS_A_LINE = """\
diff --git a/notes.txt b/notes.txt
new file mode 100644
--- /dev/null
+++ b/notes.txt
@@ -0,0 +1 @@
+nothing
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return make_repo(tmp_path / "clone")


def own_hook(repo: Repo, hook: Hook, lines: str = "") -> Path:
    """A hook of the person's, which says that it ran."""
    file = repo.root / ".git" / "hooks" / hook.name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{lines}\necho mine >&2\n")
    file.chmod(0o755)
    return file


def says(repo: Repo, hook: Hook) -> str:
    """What the hook of that name prints when git runs it."""
    if hook.name == "pre-applypatch":
        patch = repo.root / ".git" / "patch"
        patch.write_text("From: T <t@example.org>\nSubject: A patch\n\n---\n" + ADDS_A_LINE)
        done = repo.git("am", str(patch), check=False)
    elif hook.name in ("commit-msg", "prepare-commit-msg"):
        done = repo.commit("--allow-empty", check=False)
    else:
        done = repo.git("push", str(repo.root.parent / "o.git"), "HEAD:refs/heads/a", check=False)
    return done.stderr


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_mentions_our_command_is_the_persons_own(repo: Repo, hook: Hook) -> None:
    file = own_hook(repo, hook, f"# not by `{hook.installs}`\n# {hook.unmarked[0]}")
    before = file.read_bytes()
    assert f"{hook.name}.local" in str(hook.install(repo.project))
    kept = file.with_name(f"{hook.name}.local")
    assert kept.read_bytes() == before
    assert hook.install(repo.project) is None
    assert kept.read_bytes() == before


def test_another_hook_with_the_second_name_is_never_overwritten(repo: Repo) -> None:
    file = own_hook(repo, commit.HOOK)
    kept = file.with_name("commit-msg.local")
    for make in (lambda: kept.write_text("#!/bin/sh\n"), lambda: kept.symlink_to("nowhere")):
        make()
        before = (file.read_bytes(), kept.lstat().st_ino)
        with pytest.raises(ProjectError, match="Merge them into one"):
            commit.HOOK.install(repo.project)
        assert (file.read_bytes(), kept.lstat().st_ino) == before
        assert not list(file.parent.glob(".commit-msg*"))
        kept.unlink()


def test_an_attempt_that_was_killed_before_the_last_step_is_finished(repo: Repo) -> None:
    file = own_hook(repo, commit.HOOK)
    os.link(file, file.with_name("commit-msg.local"))
    assert commit.HOOK.install(repo.project)
    assert "mine" in says(repo, commit.HOOK)


def test_a_hook_that_is_a_link_is_kept_as_one(repo: Repo) -> None:
    file = own_hook(repo, commit.HOOK)
    tool = file.rename(repo.root / "tool.sh")
    file.symlink_to("../../tool.sh")
    assert commit.HOOK.install(repo.project)
    assert file.with_name("commit-msg.local").is_symlink()
    assert tool.read_text().endswith("echo mine >&2\n")
    assert "mine" in says(repo, commit.HOOK)


@pytest.fixture
def full_disk(repo: Repo) -> Iterator[Path]:
    """The folder of hooks is a file system of 64 kB; the file `rest` fills it."""
    folder = repo.root / ".git" / "hooks"
    folder.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mount is not permitted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> None:
    with (folder / "rest").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("is_ours", [False, True], ids=["own", "ours of before"])
@pytest.mark.parametrize("hook", HOOKS)
def test_a_full_disk_leaves_the_hook_that_was_there(
    repo: Repo, full_disk: Path, hook: Hook, is_ours: bool
) -> None:
    file = own_hook(repo, hook)
    if is_ours:
        file.write_text(f"#!/bin/sh\n{hook.unmarked[0]}\necho mine >&2\n")
    subprocess.run(["git", "init", "-q", "--bare", str(repo.root.parent / "o.git")], check=True)
    repo.commit("--allow-empty", "--no-verify")
    before = file.read_bytes()
    fill(full_disk)
    with pytest.raises(ProjectError, match=r"cannot be written: No space left on device\. Nothing"):
        hook.install(repo.project)
    assert sorted(path.name for path in full_disk.iterdir()) == sorted([hook.name, "rest"])
    assert file.read_bytes() == before
    assert "mine" in says(repo, hook)
    (full_disk / "rest").unlink()
    hook.install(repo.project)
    assert hook.is_ours(file.read_bytes())
    assert file.with_name(f"{hook.name}.local").exists() != is_ours


def test_a_full_disk_is_one_sentence_on_the_terminal(repo: Repo, full_disk: Path) -> None:
    own_hook(repo, commit.HOOK)
    fill(full_disk)
    done = repo.bucket("secrets", "--install-hook", check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "No space left on device" in done.stderr


def test_what_a_person_has_configured_counts_again_once_ours_is_gone(repo: Repo) -> None:
    key = f"merge.{driver.DRIVER}.driver"
    repo.git("config", key, "their own 'driver' %A (1+1)")
    for _ in range(2):
        driver.install(repo.project)
        assert driver.INSTALLED in str(configuration.get(repo.root, key))
    assert len(repo.git("config", "--get-all", key).stdout.splitlines()) == 2
    configuration.drop(repo.root, key, driver.SETTINGS["driver"])
    assert configuration.get(repo.root, key) == "their own 'driver' %A (1+1)"
