"""`bucket gc` deletes no only copy of what git can bring back, and from the remote first."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.base.ports import free_ports
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.stores.plain_front import PlainFront
from tests.verify.published import Published, empty

ALL = ("-c", "-w", "-a", "-T", "-A", "-f")
HERE = ("-w", "-f")


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


def version(
    made: Published, text: str, path: str = "table.csv", *, pushed: bool = True, extra: str = ""
) -> str:
    """A new version of a tracked file, in the cache and, if it was pushed, on the remote."""
    key = made.track(path, text.encode(), extra)
    ignored = made.root / ".gitignore"
    lines = dict.fromkeys(ignored.read_text().splitlines(keepends=True))
    ignored.write_text("".join(lines))
    if pushed:
        made.put(key, text.encode())
    return key


def gc(made: Published, *options: str) -> subprocess.CompletedProcess[str]:
    return made.clone.run("bucket", "gc", *options, check=False)


def missing(made: Published, wanted: Mapping[str, str]) -> dict[str, list[str]]:
    """Of the data that is wanted, what the remote and the cache do not have."""
    here = {key for key in wanted.values() if made.cached(key).is_file()}
    there = set(made.keys)
    return {
        "remote": [name for name, key in wanted.items() if key not in there],
        "cache": [name for name, key in wanted.items() if key not in here],
    }


@pytest.mark.parametrize(("options", "pushed"), [(ALL, True), (HERE, False)])
def test_stashes_indexes_work_trees_and_other_references_are_kept(
    project: Published, options: tuple[str, ...], *, pushed: bool
) -> None:
    make = partial(version, pushed=pushed)
    kept = {}
    for number in (1, 2):
        kept[f"stash {number}"] = make(project, f"in stash {number}")
        kept[f"untracked in stash {number}"] = make(project, f"new {number}", "new.csv")
        project.git("stash", "push", "--quiet", "--include-untracked")
    kept["stash's index"] = make(project, "staged, then stashed")
    project.git("add", "table.csv.dvc")
    make(project, "worked on, then stashed")
    project.git("stash", "push", "--quiet")
    kept["another reference"] = make(project, "before a rewrite")
    project.commit("Rewritten later")
    project.git("update-ref", "refs/original/refs/heads/main", "HEAD")
    project.git("reset", "--quiet", "--hard", "HEAD~1")
    linked = replace(project, root=project.root.parent / "linked")
    project.git("worktree", "add", "--quiet", "--detach", str(linked.root))
    (linked.root / ".venv").symlink_to((project.root / ".venv").resolve())
    for state in ("checked out", "staged", "written"):
        key = make(linked, f"{state} in the work tree")
        kept[f"{state} in the work tree"] = key
        project.cached(key).parent.mkdir(parents=True, exist_ok=True)
        project.cached(key).write_bytes(linked.cached(key).read_bytes())
        if state != "written":
            linked.git("add", "--all")
        if state == "checked out":
            linked.git("commit", "-q", "-m", "Without a branch")
    kept["staged"] = make(project, "staged")
    project.git("add", "table.csv.dvc")
    kept["written"] = make(project, "written")
    garbage = {"garbage": make(project, "garbage", "left.csv")}
    (project.root / "left.csv.dvc").unlink()
    done = gc(project, *options)
    assert done.returncode == 0, done.stderr
    assert missing(project, kept) == {"remote": [] if pushed else [*kept], "cache": []}
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
    assert f"the work tree {linked}: its folder is missing" in done.stderr
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


@pytest.fixture
def on_branch(project: Published) -> dict[str, str]:
    """Data that only the branch `side` needs, pushed and not pushed."""
    project.git("checkout", "-q", "-b", "side")
    data = {"pushed": version(project, "pushed", "pushed.csv")}
    data["here"] = version(project, "not pushed", "more/here.csv", pushed=False)
    project.commit("Side")
    project.git("checkout", "-q", "main")
    return data


def test_the_only_copy_that_a_branch_needs_is_a_reason_to_refuse(
    project: Published, on_branch: dict[str, str]
) -> None:
    done = gc(project, *HERE)
    assert done.returncode == 1
    assert "`gc` would delete 1 object that other commits of this clone need" in done.stderr
    assert "  1 in more, needed by " in done.stderr
    assert "--delete-needed=1." in done.stderr
    assert missing(project, on_branch) == {"remote": ["here"], "cache": []}
    assert gc(project, *HERE, "--delete-needed=1").returncode == 0
    assert missing(project, on_branch) == {"remote": ["here"], "cache": ["pushed", "here"]}


def test_a_whole_object_on_the_remote_is_a_copy_and_a_cut_off_one_is_none(
    project: Published, on_branch: dict[str, str]
) -> None:
    project.put(on_branch["here"], b"not")
    for options in (HERE, ("-A", "-f", "--not-in-remote")):
        assert "--delete-needed=1." in gc(project, *options).stderr
    assert missing(project, on_branch)["cache"] == []
    project.put(on_branch["here"], b"not pushed")
    assert gc(project, *HERE).returncode == 0
    assert missing(project, on_branch) == {"remote": [], "cache": ["pushed", "here"]}


def test_an_object_of_another_remote_is_looked_for_there(project: Published) -> None:
    backup = replace(project, prefix=f"{project.prefix}-backup")
    config = project.project.dvc_config.read_text()
    section = config[config.index("['remote") :].replace("storage", "backup")
    project.project.dvc_config.write_text(config + section.replace(project.prefix, backup.prefix))
    project.commit("Backup")
    project.git("checkout", "-q", "-b", "side")
    data = {"backed up": version(project, "1", "b.csv", extra="  remote: backup\n", pushed=False)}
    project.commit("Side")
    project.git("checkout", "-q", "main")
    for options in (HERE, ALL[:2] + HERE):  # with --cloud, too: no remote of main's has it
        assert "1 of which have no intact copy on the remote" in gc(project, *options).stderr
    assert missing(project, data)["cache"] == []
    backup.put(data["backed up"], b"1")
    assert gc(project, *HERE).returncode == 0
    assert missing(project, data)["cache"] == ["backed up"]


def test_a_remote_out_of_reach_is_a_reason_to_refuse_if_git_needs_something(
    project: Published, on_branch: dict[str, str]
) -> None:
    garbage = {"garbage": version(project, "garbage", "left.csv", pushed=False)}
    (project.root / "left.csv.dvc").unlink()
    dead = f"http://127.0.0.1:{free_ports(1)[0]}"
    text = project.project.env_file.read_text().replace(project.store.endpoint_url, dead)
    project.project.env_file.write_text(text)
    done = gc(project, *HERE, "--delete-needed=2")
    assert done.returncode == 1
    assert "`gc` deleted nothing: it would delete objects that commits" in done.stderr
    assert f"Could not list s3://{project.store.bucket}/{project.prefix}" in done.stderr
    assert missing(project, on_branch | garbage)["cache"] == []
    assert gc(project, *HERE, "-a").returncode == 0
    assert missing(project, on_branch | garbage)["cache"] == ["garbage"]


def test_a_shallow_clone_may_drop_what_is_pushed(project: Published, tmp_path: Path) -> None:
    version(project, "two")
    project.commit("Two")
    shallow = replace(project, root=tmp_path / "shallow")
    project.git("clone", "-q", "--depth", "1", f"file://{project.root}", str(shallow.root))
    for name in (".env", ".venv"):
        (shallow.root / name).symlink_to((project.root / name).resolve())
    data = {"old": version(shallow, "old", "old.csv", pushed=False)}
    (shallow.root / "old.csv.dvc").unlink()
    assert "git fetch --unshallow --tags" in gc(shallow, *HERE).stderr
    assert missing(shallow, data)["cache"] == []
    shallow.put(data["old"], b"old")
    assert gc(shallow, *HERE).returncode == 0
    assert missing(shallow, data) == {"remote": [], "cache": ["old"]}
