"""Pushes that git refuses, because somebody would get commits without their data."""

import shutil
import subprocess
from dataclasses import replace

import pytest

from dvc_bucket.base import ports
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.git.hooks.push import HOOK
from tests.verify.published import Published


@pytest.fixture
def hooked(on_seaweed: Published) -> Published:
    """With the hook, and a bare repository to push to."""
    on_seaweed.git("init", "-q", "--bare", "../bare.git")
    on_seaweed.git("remote", "add", "origin", "../bare.git")
    assert HOOK.install(on_seaweed.project)
    return on_seaweed


def push(published: Published, *names: str) -> "subprocess.CompletedProcess[str]":
    return published.clone.run("git", "push", "-q", "origin", *names, check=False)


def remote_names(published: Published) -> list[str]:
    return published.git("ls-remote", "--refs", "origin").split()[1::2]


def test_a_push_without_its_data_is_refused_and_with_it_accepted(hooked: Published) -> None:
    hooked.git("checkout", "-q", "-b", "side")
    path = hooked.track("extra.bin", b"not pushed")
    commit = hooked.commit("More")
    hooked.git("checkout", "-q", "main")
    done = push(hooked, "main", "side")
    assert done.returncode == 1
    assert "missing  extra.bin  needed by " + commit[:7] in done.stderr
    assert "Push refused" in done.stderr
    assert "--no-verify" in done.stderr
    assert remote_names(hooked) == []
    [fix] = [line for line in done.stderr.splitlines() if line.startswith("  bucket verify")]
    hooked.clone.run("sh", "-c", fix)
    assert hooked.get(path) == b"not pushed"
    hooked.git("tag", "-a", "v1", "-m", "One", "side")
    assert push(hooked, "main", "side", "v1").returncode == 0
    assert remote_names(hooked) == ["refs/heads/main", "refs/heads/side", "refs/tags/v1"]


def test_what_needs_no_data_goes_out_even_if_the_store_does_not_answer(hooked: Published) -> None:
    hooked.git("push", "-q", "--no-verify", "origin", "main", "main:side")
    env = hooked.root / ".env"
    closed = f"https://127.0.0.1:{ports.free_ports(1)[0]}"
    text = env.read_text().replace(hooked.store.endpoint_url, closed)
    env.write_text(f"{text}OS_RETRY_SECONDS=1\n")
    assert push(hooked, ":side").returncode == 0
    blob = hooked.git("hash-object", "-w", ".gitignore")
    assert push(hooked, f"{blob}:refs/tags/blob").returncode == 0
    hooked.git("commit", "-q", "--allow-empty", "-m", "Nothing new")
    done = push(hooked, "main")
    assert done.returncode == 1
    said = f"bucket: not checked. Could not list s3://{hooked.store.bucket}/{hooked.prefix}: "
    assert said in done.stderr
    assert "`git push --no-verify` goes past this check" in done.stderr
    assert remote_names(hooked) == ["refs/heads/main", "refs/tags/blob"]


def test_a_hook_that_was_there_runs_first_with_what_git_says(on_seaweed: Published) -> None:
    on_seaweed.git("init", "-q", "--bare", "../bare.git")
    hook = on_seaweed.root / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\necho "$@" >>said\ncat >>said\n[ ! -e stop ] || exit 3\n')
    hook.chmod(0o755)
    said = on_seaweed.clone.run("bucket", "verify", "--install-hook").stdout
    assert "pre-push.local and runs first" in said
    assert HOOK.install(on_seaweed.project) is None
    on_seaweed.git("push", "-q", "../bare.git", "main")
    commit = on_seaweed.git("rev-parse", "HEAD")
    lines = (on_seaweed.root / "said").read_text().splitlines()
    assert lines[0] == "../bare.git ../bare.git"
    assert lines[1].startswith(f"refs/heads/main {commit} refs/heads/main 0000")
    (on_seaweed.root / "stop").touch()
    assert on_seaweed.clone.run("git", "push", "../bare.git", "main:x", check=False).returncode == 1
    hook.write_text("#!/bin/sh\n")
    with pytest.raises(ProjectError, match=r"pre-push\.local beside it both exist"):
        HOOK.install(on_seaweed.project)


def test_dvcs_own_hooks_are_installed_before_it(on_seaweed: Published) -> None:
    on_seaweed.dvc("install")
    assert "pre-push.local" in str(HOOK.install(on_seaweed.project))
    kept = on_seaweed.root / ".git" / "hooks" / "pre-push.local"
    assert "dvc git-hook pre-push" in kept.read_text()


def test_a_project_in_a_folder_of_the_repository(on_seaweed: Published) -> None:
    folder = on_seaweed.root.rename(on_seaweed.root.parent / "work é")
    shutil.rmtree(folder / ".git")
    whole = replace(on_seaweed, root=folder.parent / "whole")
    whole.root.mkdir()
    folder.rename(whole.root / folder.name)
    moved = replace(on_seaweed, root=whole.root / folder.name)
    whole.git("init", "-q", "-b", "main")
    whole.git("init", "-q", "--bare", "../bare.git")
    whole.git("commit", "-q", "--allow-empty", "-m", "Before the project")
    before = whole.git("rev-parse", "HEAD")
    commit = whole.commit("The project")
    assert HOOK.install(moved.project)
    moved.delete(moved.object("images/03.bin"))
    [finding] = moved.verify(all_commits=True).findings
    assert (finding.path, finding.revisions[0].commit) == ("images/03.bin", commit)
    done = whole.clone.run("git", "push", "-q", "../bare.git", "main", check=False)
    assert "missing  images/03.bin  needed by " in done.stderr
    assert "Push refused" in done.stderr
    whole.git("push", "-q", "../bare.git", f"{before}:refs/heads/main")


def test_without_a_set_up_a_push_is_refused_with_the_fix(hooked: Published) -> None:
    (hooked.root / ".venv").unlink()
    done = hooked.clone.run("git", "push", "origin", "main", check=False, PATH="/usr/bin:/bin")
    assert done.returncode == 1
    assert "Run `make setup`, then push again" in done.stderr
