"""`bucket dvc gc --cloud` keeps what git can bring back, and deletes from the remote first."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bucket import Project, Settings
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.stores.plain_front import PlainFront
from tests.verify.published import Published, empty

ALL = ("-c", "-w", "-a", "-T", "-A", "-f")


@pytest.fixture(scope="module")
def seaweed(request: pytest.FixtureRequest) -> StoreAccess:
    found: StoreAccess = access(request, "seaweed")
    return found


@pytest.fixture
def project(seaweed: StoreAccess, tmp_path: Path) -> Published:
    made = empty(tmp_path / "clone", seaweed)
    version(made, "committed")
    made.commit("Data")
    return made


def version(made: Published, text: str, path: str = "table.csv") -> str:
    """A new version of a tracked file, in the cache and on the remote."""
    key = made.track(path, text.encode())
    ignored = made.root / ".gitignore"
    lines = dict.fromkeys(ignored.read_text().splitlines(keepends=True))
    ignored.write_text("".join(lines))
    made.put(key, text.encode())
    return key


def gc(made: Published, *options: str) -> subprocess.CompletedProcess[str]:
    return made.clone.run("bucket", "dvc", "gc", *options, check=False)


def missing(made: Published, wanted: Mapping[str, str]) -> dict[str, list[str]]:
    """Of the data that is wanted, what the remote and the cache do not have."""
    here = {key for key in wanted.values() if made.cached(key).is_file()}
    there = set(made.keys)
    return {
        "remote": [name for name, key in wanted.items() if key not in there],
        "cache": [name for name, key in wanted.items() if key not in here],
    }


def test_stashes_indexes_work_trees_and_other_references_are_kept(project: Published) -> None:
    kept = {}
    for number in (1, 2):
        kept[f"stash {number}"] = version(project, f"in stash {number}")
        kept[f"untracked in stash {number}"] = version(project, f"new {number}", "new.csv")
        project.git("stash", "push", "--quiet", "--include-untracked")
    kept["stash's index"] = version(project, "staged, then stashed")
    project.git("add", "table.csv.dvc")
    version(project, "worked on, then stashed")
    project.git("stash", "push", "--quiet")
    kept["another reference"] = version(project, "before a rewrite")
    project.commit("Rewritten later")
    project.git("update-ref", "refs/original/refs/heads/main", "HEAD")
    project.git("reset", "--quiet", "--hard", "HEAD~1")
    linked = replace(project, root=project.root.parent / "linked")
    project.git("worktree", "add", "--quiet", "--detach", str(linked.root))
    (linked.root / ".venv").symlink_to((project.root / ".venv").resolve())
    for state in ("checked out", "staged", "written"):
        key = version(linked, f"{state} in the work tree")
        kept[f"{state} in the work tree"] = key
        project.cached(key).parent.mkdir(parents=True, exist_ok=True)
        project.cached(key).write_bytes(linked.cached(key).read_bytes())
        if state != "written":
            linked.git("add", "--all")
        if state == "checked out":
            linked.git("commit", "-q", "-m", "Without a branch")
    kept["staged"] = version(project, "staged")
    project.git("add", "table.csv.dvc")
    kept["written"] = version(project, "written")
    garbage = {"garbage": version(project, "garbage", "left.csv")}
    (project.root / "left.csv.dvc").unlink()
    done = gc(project, *ALL)
    assert done.returncode == 0, done.stderr
    assert missing(project, kept) == {"remote": [], "cache": []}
    assert missing(project, garbage) == {"remote": ["garbage"], "cache": ["garbage"]}
    project.git("worktree", "remove", "--force", str(linked.root))


def test_what_only_the_reflog_leads_to_is_kept_if_asked_for(project: Published) -> None:
    lost = {"reset": version(project, "reset away")}
    project.commit("Reset away")
    project.git("reset", "--quiet", "--hard", "HEAD~1")
    assert gc(project, *ALL, "--reflog").returncode == 0
    assert missing(project, lost) == {"remote": [], "cache": []}
    assert gc(project, *ALL).returncode == 0
    assert missing(project, lost) == {"remote": ["reset"], "cache": ["reset"]}


def test_each_side_of_a_merge_with_conflicts_is_kept(project: Published) -> None:
    sides = {}
    for side in ("left", "right"):
        project.git("checkout", "-q", "-b", side, "main")
        sides[side] = version(project, side)
        project.commit(side)
    project.git("checkout", "-q", "--detach", "left")
    project.clone.run("git", "merge", "-q", "right", check=False)
    project.git("branch", "-q", "-D", "left", "right")
    project.git("restore", "--worktree", "--source", "main", "table.csv.dvc")
    assert gc(project, *ALL).returncode == 0
    assert missing(project, sides) == {"remote": [], "cache": []}


def test_experiments_are_a_reason_to_refuse_as_dvc_has_an_option_for_them(
    project: Published,
) -> None:
    tried = {"experiment": version(project, "an experiment")}
    made = project.commit("An experiment")
    base = project.git("rev-parse", "HEAD~1")
    project.git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/tried", made)
    project.git("reset", "--quiet", "--hard", "HEAD~1")
    done = gc(project, *ALL)
    assert done.returncode == 1
    assert f"needed by {made[:7]}" in done.stderr
    assert "--all-experiments" in done.stderr
    assert gc(project, *ALL, "--all-experiments").returncode == 0
    assert missing(project, tried) == {"remote": [], "cache": []}


def test_a_work_tree_that_is_not_there_is_a_reason_to_refuse(project: Published) -> None:
    linked = project.root.parent / "on-a-disk"
    project.git("worktree", "add", "--quiet", "--detach", str(linked))
    linked.rename(linked.with_name("unplugged"))
    done = gc(project, *ALL)
    assert done.returncode == 1
    assert f"the work tree {linked}: its folder is not there" in done.stderr
    project.git("worktree", "prune")
    assert gc(project, *ALL).returncode == 0


@pytest.fixture
def behind(project: Published, store: Project) -> tuple[Published, PlainFront, dict[str, str]]:
    """The project reached through a front, and data of it that nobody needs."""
    front = PlainFront(Settings.load(store).port)
    data = {f"{number}": version(project, f"garbage {number}", "left.csv") for number in range(7)}
    (project.root / "left.csv.dvc").unlink()
    for file in (project.project.dvc_config, project.project.env_file):
        file.write_text(file.read_text().replace(project.store.endpoint_url, front.url))
    return project, front, data


def without_md5(method: str, _: str, headers: Mapping[str, str]) -> tuple[int, bytes] | None:
    """Swift before 2.34."""
    if method == "POST" and "content-md5" not in headers:
        said = b"Missing required header for this request: Content-MD5"
        return 400, b"<Error><Code>InvalidRequest</Code><Message>%b</Message></Error>" % said
    return None


def without_batches(method: str, *_: object) -> tuple[int, bytes] | None:
    """A store that knows no request for several objects."""
    return (405, b"<Error><Code>MethodNotAllowed</Code></Error>") if method == "POST" else None


def without_rights(method: str, *_: object) -> tuple[int, bytes] | None:
    """Keys that may not delete."""
    if method in {"POST", "DELETE"}:
        return 403, b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
    return None


@pytest.mark.parametrize("store_is", [without_md5, without_batches])
def test_a_store_with_demands_on_batches_is_served(
    behind: tuple[Published, PlainFront, dict[str, str]], store_is: object
) -> None:
    project, front, garbage = behind
    front._server.refuse = store_is  # type: ignore[assignment]
    with front:
        done = gc(project, *ALL)
    assert done.returncode == 0, done.stderr
    assert sorted(missing(project, garbage)["remote"]) == sorted(garbage)
    assert sorted(missing(project, garbage)["cache"]) == sorted(garbage)


def test_a_remote_that_refuses_leaves_the_cache_and_it_can_be_done_again(
    behind: tuple[Published, PlainFront, dict[str, str]],
) -> None:
    project, front, garbage = behind
    front._server.refuse = without_rights
    with front:
        done = gc(project, *ALL)
        assert done.returncode != 0
        assert "refuses it with these credentials" in done.stderr
        assert "Removed" not in done.stdout + done.stderr
        assert missing(project, garbage) == {"remote": [], "cache": []}
        front._server.refuse = lambda *_: None
        assert gc(project, *ALL).returncode == 0
    assert sorted(missing(project, garbage)["cache"]) == sorted(garbage)
