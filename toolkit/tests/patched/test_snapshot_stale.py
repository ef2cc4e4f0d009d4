"""A snapshot names the stale stages that DVC names, outlives its repository and says what fails."""

from collections.abc import Callable
from pathlib import Path

import dvc.dvcfile
import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.dvc.snapshot import Snapshot
from tests.patched.small_repos import CHAIN, FILES, Small, paths


def edit_params(small: Small) -> None:
    small.write("params.yaml", "size: 2\n")


def edit_input(small: Small) -> None:
    small.write("in.txt", "two\n")


def edit_command(small: Small) -> None:
    small.write("dvc.yaml", CHAIN.replace("cp copy", "cp -f copy"))


def edit_output(small: Small) -> None:
    (small.root / "copy.txt").unlink()
    small.write("copy.txt", "edited\n")


def add_stage(small: Small) -> None:
    small.write("dvc.yaml", CHAIN + "  new: {cmd: echo 1 >new.txt, outs: [new.txt]}\n")


def add_callback(small: Small) -> None:
    small.write("dvc.yaml", CHAIN + "  always: {cmd: echo 1}\n")


def freeze(small: Small) -> None:
    small.write("dvc.yaml", CHAIN.replace("    cmd: cp in", "    frozen: true\n    cmd: cp in"))
    edit_input(small)


def track_input(small: Small) -> None:
    """The input becomes data of DVC, with another content than the stage read."""
    small.git("rm", "--quiet", "--cached", "in.txt")
    edit_input(small)
    small.dvc("add", "--quiet", "in.txt")


EDITS: dict[str, tuple[Callable[[Small], None], set[str]]] = {
    "nothing": (lambda _: None, set()),
    "params": (edit_params, {"copy"}),
    "input": (edit_input, {"copy"}),
    "command": (edit_command, {"last"}),
    "new": (add_stage, {"new"}),
    "always": (add_callback, {"always"}),
    "frozen": (freeze, set()),
    "tracked input": (track_input, {"copy"}),
}


@pytest.mark.parametrize("name", EDITS)
def test_stale_stages_are_those_of_dvc_status(copied: Small, tmp_path: Path, name: str) -> None:
    edit, expected = EDITS[name]
    small = copied
    edit(small)
    assert set(small.at().stale()) == small.status() == expected
    small.git("add", "--all")
    small.git("commit", "--quiet", "--allow-empty", "-m", "Edited")
    edited = small.head
    small.dvc("repro", "--quiet")
    small.git("add", "--all")
    small.git("commit", "--quiet", "--allow-empty", "-m", "Run")
    assert set(small.at(edited).stale()) == small.status_at(edited, tmp_path / "clone") == expected


def test_an_output_that_was_edited_or_is_gone_is_stale_in_the_workspace_alone(
    copied: Small,
) -> None:
    small, first = copied, copied.head
    edit_output(small)
    assert set(small.at().stale()) == small.status() == {"copy", "last"}
    (small.root / "copy.txt").unlink()
    assert set(small.at().stale()) == small.status() == {"copy", "last"}
    assert small.at(first).stale() == []


def test_a_snapshot_outlives_the_repository_that_it_was_read_from(
    repo: Callable[..., Small],
) -> None:
    small = repo(**FILES)
    first = small.save()
    with opened(small.project) as dvc_repo:
        earlier, now = Snapshot.at(dvc_repo, first), Snapshot.at(dvc_repo)
    assert [one.name for one in earlier.stages] == [one.name for one in now.stages]
    assert now.stale() == earlier.stale() == ["copy", "last"]


def test_each_lock_file_is_parsed_once(copied: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    small, first = copied, copied.head
    parsed, load = [], dvc.dvcfile.Lockfile.load

    def counted(self: object, **named: object) -> object:
        parsed.append(self)
        return load(self, **named)

    monkeypatch.setattr(dvc.dvcfile.Lockfile, "load", counted)
    original = dvc.dvcfile.load_file
    for rev in (None, first):
        parsed.clear()
        assert len(small.at(rev).runs) == 2
        assert len(parsed) == 1
    assert dvc.dvcfile.load_file is original


def test_a_graph_that_dvc_refuses_is_told_and_its_stages_are_there(
    repo: Callable[..., Small],
) -> None:
    small = repo(**FILES)
    first = small.save()
    small.write("dvc.yaml", CHAIN.replace("deps: [in.txt]", "deps: [last.txt]"))
    assert small.at(first).graph_error == ""
    snapshot = small.at()
    assert "dvc.yaml:last" in snapshot.graph_error
    assert [(one.name, one.upstream) for one in snapshot.stages] == [("copy", []), ("last", [])]


def test_a_file_that_dvc_cannot_read_is_a_sentence(repo: Callable[..., Small]) -> None:
    small = repo(**FILES)
    small.write("dvc.lock", "<<<<<<< HEAD\n")
    second = small.save()
    for rev, where in ((None, "the stages"), (second, f"the commit {second[:12]}")):
        with pytest.raises(ProjectError, match=f"DVC cannot read {where}"):
            small.at(rev)


def test_a_project_in_a_folder_and_a_revision_before_it(tmp_path: Path) -> None:
    top = Small(tmp_path / "top", Project(tmp_path / "top"))
    top.root.mkdir()
    top.git("init", "--quiet")
    top.write("README", "x\n")
    before = top.save()
    project = Project(top.root / "deep/project")
    for path, text in {**FILES, ".dvc/config": "[core]\n    analytics = false\n"}.items():
        top.write(f"deep/project/{path}", text)
    after = top.save()
    assert not Snapshot.at(project, before).is_project
    for rev in (after, None):
        snapshot = Snapshot.at(project, rev)
        assert snapshot.is_project
        copy = snapshot.stages[0]
        assert (copy.file, copy.folder, paths(copy.deps)) == ("dvc.yaml", ".", ["in.txt"])
        assert copy.params["params.yaml"].current == {"size": 1}
