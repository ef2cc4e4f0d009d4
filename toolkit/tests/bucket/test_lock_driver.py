"""Git itself merges dvc.lock with our driver: after `make setup`, and in a clone without it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.dvc.lock import driver, entries
from dvc_bucket.dvc.remote.outputs import opened
from tests.bucket.git_tools import Repo, make_repo
from tests.projects import copy_files

#: Each stage copies; `sum` reads what both others made.
DVC_YAML = """\
stages:
  one: {cmd: cp one.txt one.out, deps: [one.txt], outs: [one.out]}
  two: {cmd: cp two.txt two.out, deps: [two.txt], outs: [two.out]}
  sum: {cmd: cat one.out two.out > sum.out, deps: [one.out, two.out], outs: [sum.out]}
  own: {cmd: cp own.txt own.out, deps: [own.txt], outs: [own.out]}
"""


def reproduce(repo: Repo) -> None:
    """`dvc repro` by the real DVC, and a commit."""
    with chdir(repo.root), opened(repo.project) as dvc:
        dvc.reproduce(all_pipelines=True)
    repo.git("add", "--all")
    repo.commit("--no-verify")


def stages(repo: Repo, rev: str = "HEAD") -> dict[str, entries.Entry]:
    return dict(entries.stages(entries.read(repo.git("show", f"{rev}:dvc.lock").stdout)))


def status(repo: Repo) -> dict[str, object]:
    """What `dvc status` says of the files of the commit."""
    with chdir(repo.root), opened(repo.project) as dvc:
        dvc.checkout(force=True, allow_missing=True)
        found: dict[str, object] = dvc.status()
        return found


@pytest.fixture(scope="module")
def branches(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Branches `main`, `one`, `two` and `own`, each with its file changed and all run."""
    repo = make_repo(tmp_path_factory.mktemp("branches") / "a clone, é")
    driver.install(repo.project)
    repo.git("checkout", "-q", "-b", "main")
    repo.write("dvc.yaml", DVC_YAML)
    copy_files(repo.root, [".gitattributes"])
    repo.write(".gitignore", (repo.root / ".gitignore").read_text() + "*.out\n")
    for name in ("one", "two", "own"):
        repo.write(f"{name}.txt", f"{name}\n")
    reproduce(repo)
    for name in ("one", "two", "own"):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.write(f"{name}.txt", f"{name}, changed\n")
        reproduce(repo)
    return repo


@pytest.fixture
def repo(branches: Repo) -> Iterator[Repo]:
    """On the branch `one`, which is as it was afterwards."""
    branches.git("checkout", "-q", "-f", "-B", "work", "one")
    yield branches
    for command in ("merge", "rebase", "cherry-pick"):
        branches.git(command, "--abort", check=False)


def test_branches_that_ran_different_stages_need_no_hand(repo: Repo) -> None:
    done = repo.git("merge", "--no-edit", "own")
    assert "will run these stages again" not in done.stderr
    assert "<<<" not in (repo.root / "dvc.lock").read_text()
    assert status(repo) == {}


@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick"])
def test_a_stage_that_both_ran_is_named_and_nothing_else_is_lost(repo: Repo, how: str) -> None:
    options = {"merge": ["--no-edit", "two"]}.get(how, ["two"])
    mine = stages(repo)
    done = repo.git(how, *options)
    assert (
        "dvc.lock: `bucket repro` will run these stages again: sum (run on both sides)."
        in done.stderr
    )
    merged = stages(repo)
    assert merged == {"one": mine["one"], "own": mine["own"], "two": stages(repo, "two")["two"]}
    if how == "merge":
        assert list(status(repo)) == ["sum"]
        reproduce(repo)
        assert status(repo) == {}
        assert (repo.root / "sum.out").read_text() == "one, changed\ntwo, changed\n"


def test_a_side_that_is_no_lock_file_leaves_a_normal_conflict(repo: Repo) -> None:
    broken = (repo.root / "dvc.lock").read_text().replace("one.out", "one.out\n<<<<<<< HEAD", 1)
    repo.add("dvc.lock", broken)
    repo.commit("--no-verify")
    done = repo.git("merge", "--no-edit", "two", check=False)
    assert done.returncode == 1
    assert "dvc.lock of our side, line 6" in done.stderr
    text = (repo.root / "dvc.lock").read_text()
    assert "<<<<<<< ours" in text
    assert ">>>>>>> theirs" in text
    assert repo.git("ls-files", "--unmerged").stdout.count("dvc.lock") == 3


def test_without_a_set_up_git_merges_as_it_does_by_itself(repo: Repo, tmp_path: Path) -> None:
    """In a clone that has no driver, and in one whose driver finds no toolkit."""
    command = ["git", "clone", "-q", "-b", "one", str(repo.root), str(tmp_path / "clone")]
    subprocess.run(command, check=True)
    clone = Repo(tmp_path / "clone", Project(tmp_path / "clone"))
    found = []
    for _ in range(2):
        done = clone.run("git", "merge", "origin/two", check=False, env={"PATH": os.defpath})
        assert "CONFLICT (content): Merge conflict in dvc.lock" in done.stdout
        lines = (clone.root / "dvc.lock").read_text().splitlines()
        marks = [line for line in lines if line.startswith(("<<<<<<< ", ">>>>>>> "))]
        assert len(marks) >= 2
        found.append([line for line in lines if line not in marks])
        clone.git("merge", "--abort")
        driver.install(clone.project)
    assert found[0] == found[1]


def test_several_common_ancestors_are_no_hindrance(repo: Repo) -> None:
    """A criss-cross: both branches merged both changes, each first its own."""
    repo.git("checkout", "-q", "-B", "left", "one")
    repo.git("merge", "-q", "--no-edit", "own")
    repo.git("checkout", "-q", "-B", "right", "own")
    repo.git("merge", "-q", "--no-edit", "one")
    repo.write("two.txt", "two, changed on the right\n")
    reproduce(repo)
    repo.git("checkout", "-q", "left")
    done = repo.git("merge", "--no-edit", "right")
    assert "will run these stages again" not in done.stderr
    assert stages(repo) == stages(repo, "right")


def test_a_linked_work_tree_uses_the_set_up_of_the_main_one(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", str(tmp_path / "linked é"), "two")
    linked = Repo(tmp_path / "linked é", repo.project)
    done = linked.git("merge", "--no-edit", "one")
    assert "`bucket repro` will run these stages again: sum" in done.stderr
    repo.git("worktree", "remove", "--force", str(linked.root))
    repo.git("branch", "-q", "-f", "two", "two~1")


def test_installing_is_one_line_then_silent_and_mends_an_old_one(repo: Repo) -> None:
    script = repo.root / ".git" / driver.INSTALLED
    ours = script.read_text()
    script.write_text("exit 3\n")
    repo.git("config", "merge.dvc-lock.driver", "false")
    assert repo.bucket("lock-merge", "--install").stdout == ""
    assert script.read_text() == ours
    assert "bucket-lock-merge" in repo.git("config", "merge.dvc-lock.driver").stdout
    script.unlink()
    assert "stage by stage" in str(driver.install(repo.project))
    done = repo.bucket("lock-merge", "one", check=False)
    assert done.returncode == 2
