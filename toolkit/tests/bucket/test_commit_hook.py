"""Commits that git refuses, and the other hooks that a clone can have."""

import shutil
from pathlib import Path

import pytest

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.git.hooks.commit import HOOK, HOOKS, install
from tests.bucket.git_tools import TOOLS, VALUE, Repo, environment, make_repo, new_value, own_secret
from tests.projects import text

PATH = {"PATH": f"{TOOLS}:{environment()['PATH']}"}
LEAK = f"OS_SECRET_ACCESS_KEY={VALUE}\n"


@pytest.fixture
def hooked(repo: Repo) -> Repo:
    """A repository that has the hook."""
    assert HOOK.install(repo.project)
    return repo


def is_refused(repo: Repo, *options: str) -> bool:
    """Whether git refuses a commit of what is staged; the message says why, without the secret."""
    before = repo.git("rev-parse", "--quiet", "--verify", "HEAD", check=False).stdout
    done = repo.commit(*options, check=False)
    assert VALUE not in done.stdout + done.stderr
    assert own_secret(repo) not in done.stdout + done.stderr
    after = repo.git("rev-parse", "--quiet", "--verify", "HEAD", check=False).stdout
    assert (before == after) == (done.returncode != 0) == ("Commit refused." in done.stderr)
    return done.returncode != 0


def test_a_commit_with_a_secret_is_refused_and_one_without_is_silent(hooked: Repo) -> None:
    hooked.add("config.py", f'aws_secret_access_key = "{VALUE}"\n')
    done = hooked.commit(check=False)
    assert done.returncode == 1
    assert "config.py, line 1: a value for aws_secret_access_key\n" in done.stderr
    assert "git restore --staged" in done.stderr
    hooked.git("restore", "--staged", "config.py")
    hooked.add("notes.txt", "nothing\n")
    done = hooked.commit()
    assert (done.stderr, "secret" in done.stdout) == ("", False)


def test_all_that_a_person_forgets_is_refused(hooked: Repo) -> None:
    secret = own_secret(hooked)
    hooked.add(".env", hooked.project.env_file.read_bytes())
    hooked.add("key.bin", b"\0\1" + secret.encode())
    done = hooked.commit(check=False)
    assert done.returncode == 1
    assert ".env: a file type that holds credentials\n" in done.stderr
    assert "key.bin: the value of OS_SECRET_ACCESS_KEY of this clone\n" in done.stderr


def test_commits_of_a_part_and_of_everything_are_looked_at_as_git_makes_them(hooked: Repo) -> None:
    hooked.add("one.env", "nothing\n")
    hooked.commit("--no-verify")
    hooked.write("one.env", LEAK)
    hooked.add("two.env", "more\n")
    assert is_refused(hooked, "--", "one.env")
    assert not is_refused(hooked, "--", "two.env")


def test_a_merge_that_brings_a_secret_is_refused(hooked: Repo) -> None:
    hooked.git("checkout", "-q", "-b", "side")
    hooked.add("side.env", LEAK)
    hooked.commit("--no-verify")
    hooked.git("checkout", "-q", "-")
    hooked.add("main.txt", "1")
    hooked.commit("--no-verify")
    before = hooked.head
    done = hooked.git("merge", "--no-edit", "side", check=False)
    assert done.returncode != 0
    assert "side.env, line 1" in done.stderr
    assert hooked.head == before


@pytest.mark.parametrize("where", ["in the content", "in the message"])
@pytest.mark.parametrize("command", ["cherry-pick", "rebase", "rebase --apply", "am"])
def test_commits_that_git_copies_are_refused_too(repo: Repo, command: str, where: str) -> None:
    repo.git("checkout", "-q", "-b", "side")
    repo.add("side.env", LEAK if where == "in the content" else "nothing\n")
    repo.git("commit", "-qm", "x" if where == "in the content" else f"x\n\n{own_secret(repo)}")
    patch = repo.git("format-patch", "-1", "--stdout").stdout
    (repo.root / ".git" / "patch").write_text(patch)
    repo.git("checkout", "-q", "-")
    repo.add("more.txt", "1")
    repo.commit()
    install(repo.project)
    if command.startswith("rebase"):
        repo.git("checkout", "-q", "side")
    source = {"cherry-pick": "side", "am": ".git/patch"}.get(command, "@{-1}")
    done = repo.git(*command.split(), source, check=False)
    assert done.returncode != 0
    found = "side.env, line 1" if where == "in the content" else "commit message, line 3"
    assert f"{found}: " in done.stderr
    assert "Commit refused." in done.stderr
    assert own_secret(repo) not in done.stdout + done.stderr


def test_a_secret_in_the_message_is_refused_but_the_patch_below_it_is_no_message(
    hooked: Repo,
) -> None:
    hooked.add("allowed.py", f"OS_PASSWORD = {VALUE!r}  # pragma: allowlist secret\n")
    done = hooked.git("commit", "-m", f"The key is {own_secret(hooked)}", check=False)
    assert done.returncode != 0
    assert "commit message, line 1: the value of OS_SECRET_ACCESS_KEY of this clone" in done.stderr
    assert own_secret(hooked) not in done.stderr
    editor = {"GIT_EDITOR": "sed -i '1s/^/A change/'"}
    hooked.run("git", "commit", "--verbose", env=editor)


def test_all_hooks_are_installed_and_those_of_others_are_named(repo: Repo) -> None:
    other = repo.root / ".git/hooks/prepare-commit-msg"
    other.parent.mkdir(exist_ok=True)
    other.write_text("#!/bin/sh\necho mine >&2\n")
    other.chmod(0o755)
    first, second = install(repo.project)
    assert ".git/hooks/commit-msg" in first
    assert "prepare-commit-msg.local" in second
    assert install(repo.project) == []
    assert all((other.parent / hook.name).is_file() for hook in HOOKS)
    repo.add("notes.txt", "nothing\n")
    assert "mine" in repo.commit().stderr


def test_a_linked_work_tree_uses_the_set_up_and_the_credentials_of_the_main_one(
    hooked: Repo, tmp_path: Path
) -> None:
    hooked.git("worktree", "add", "-q", str(tmp_path / "linked é"), "-b", "side")
    linked = Repo(tmp_path / "linked é", hooked.project)
    linked.add("key.txt", own_secret(hooked))
    assert is_refused(linked)


def test_the_first_commit_of_a_project_in_a_folder_of_a_moved_clone(
    tmp_path: Path,
) -> None:
    repo = make_repo(tmp_path / "clone", "work/é 1")
    HOOK.install(repo.project)
    repo.root.rename(tmp_path / "moved")
    moved = Repo(tmp_path / "moved", type(repo.project)(tmp_path / "moved/work/é 1"))
    moved.add("elsewhere.env", LEAK)
    moved.add("notes.txt", "nothing")
    assert is_refused(moved, "--", "elsewhere.env")


def test_without_a_set_up_a_commit_is_refused_with_the_fix(hooked: Repo) -> None:
    (hooked.root / ".venv").unlink()
    hooked.add("notes.txt", "nothing\n")
    git_only = hooked.root.parent / "bin"
    git_only.mkdir()
    for tool in ("git", "sh", "sed", "dirname"):
        (git_only / tool).symlink_to(str(shutil.which(tool)))
    done = hooked.run("git", "commit", "-m", "x", check=False, env={"PATH": str(git_only)})
    assert done.returncode == 1
    assert "Run `make setup`, then commit again" in done.stderr
    hooked.run("git", "commit", "-m", "x", env=PATH)  # `bucket` on the PATH will do


def test_installing_is_one_line_then_silent_and_mends_an_old_one(repo: Repo) -> None:
    said = [repo.bucket("secrets", "--install-hook").stdout for _ in range(2)]
    assert said == ["git now refuses commits that contain a secret (.git/hooks/commit-msg).\n", ""]
    hook = repo.root / ".git/hooks/commit-msg"
    ours = hook.read_text()
    hook.write_text(f"#!/bin/sh\n{HOOK.unmarked[0]}\nexit 1\n")
    assert HOOK.install(repo.project) is None
    assert hook.read_text() == ours
    hook.chmod(0o644)
    assert HOOK.install(repo.project) is None
    assert hook.stat().st_mode & 0o777 == 0o755


def test_a_hook_that_was_there_is_kept_and_runs(repo: Repo) -> None:
    hook = repo.root / ".git/hooks/commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\nhead -n 1 "$1"\nexit 1\n')
    hook.chmod(0o755)
    assert "commit-msg.local" in str(HOOK.install(repo.project))
    repo.add("notes.txt", "nothing\n")
    done = repo.commit(check=False)
    assert (done.returncode, done.stderr) == (1, "A change\n")
    hook.write_text("#!/bin/sh\n")
    with pytest.raises(ProjectError, match=r"Merge them into one"):
        HOOK.install(repo.project)


def test_the_configured_folder_of_hooks_is_used_but_not_one_that_others_share(
    repo: Repo, tmp_path: Path
) -> None:
    repo.git("config", "core.hooksPath", "hooks")
    assert HOOK.install(repo.project)
    repo.add("a.env", LEAK)
    assert is_refused(repo)
    shared = tmp_path / "everybody"
    repo.git("config", "core.hooksPath", str(shared))
    with pytest.raises(ProjectError, match=r"core\.hooksPath"):
        HOOK.install(repo.project)
    assert not shared.exists()


@pytest.mark.parametrize("order", ["before", "after"])
def test_dvcs_own_hooks_install_and_run_beside_it(repo: Repo, order: str) -> None:
    if order == "before":
        repo.run(TOOLS / "dvc", "install")
    assert HOOK.install(repo.project)
    if order == "after":
        repo.run(TOOLS / "dvc", "install")
    hooks = {path.name for path in (repo.root / ".git/hooks").iterdir()}
    assert {"commit-msg", "pre-commit", "pre-push", "post-checkout"} <= hooks
    if order == "after":
        return
    repo.add("a.env", LEAK)
    refused = repo.run("git", "commit", "-m", "x", check=False, env=PATH)
    assert "Commit refused." in refused.stderr  # and not by DVC, whose hook ran before


def test_pre_commit_refuses_without_network_and_dvc_adds_itself_to_its_configuration(
    repo: Repo, tmp_path: Path
) -> None:
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home"), **PATH}
    config = ".pre-commit-config.yaml"
    repo.add(config, text(config))
    repo.add("a.env", LEAK)
    done = repo.run("pre-commit", "run", check=False, env=home)
    assert done.returncode != 0
    assert "a.env, line 1: a value for OS_SECRET_ACCESS_KEY" in done.stdout
    repo.run("dvc", "install", "--use-pre-commit-tool", env=home)
    assert "dvc-pre-commit" in (repo.root / config).read_text()
    assert "bucket secrets --staged" in (repo.root / config).read_text()
    repo.run("pre-commit", "validate-config", env=home)


def test_another_tool_that_manages_hooks_makes_no_circle(hooked: Repo, tmp_path: Path) -> None:
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home"), **PATH}
    hooked.write(".pre-commit-config.yaml", "repos: []\n")
    hooked.git("add", ".pre-commit-config.yaml")
    hooked.run("pre-commit", "install", "--hook-type", "commit-msg", env=home)
    assert HOOK.install(hooked.project)
    hooked.run("git", "commit", "-m", new_value(), env=home)
