"""Which commits are checked, and what belongs to none of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.dvc.audit import RevisionError
from tests.verify.published import Published, named


@pytest.fixture
def history(on_seaweed: Published) -> Published:
    """A branch whose data is not on the remote, a tag, a dataset that has got another name."""
    on_seaweed.git("tag", "-a", "v1", "-m", "As pushed")
    on_seaweed.git("checkout", "-q", "-b", "side")
    on_seaweed.track("more/extra.bin", b"not pushed")
    on_seaweed.commit("More")
    (on_seaweed.root / "notes.txt").write_text("nothing of DVC's\n")
    on_seaweed.commit("Notes")
    on_seaweed.git("checkout", "-q", "main")
    on_seaweed.git("mv", "table.csv.dvc", "renamed.csv.dvc")
    renamed = on_seaweed.root / "renamed.csv.dvc"
    renamed.write_text(renamed.read_text().replace("table.csv", "renamed.csv"))
    on_seaweed.commit("A better name")
    return on_seaweed


def test_the_commits_that_are_asked_for_are_checked(history: Published) -> None:
    extra = [("missing", "more/extra.bin")]
    assert history.verify().ok
    assert history.verify("v1", "HEAD~1", all_tags=True).ok
    assert named(history.verify("side", "main").findings) == extra
    [finding] = history.verify(all_branches=True).findings
    assert (finding.path, finding.revisions[0].names) == ("more/extra.bin", ("side",))
    history.git("tag", "-a", "v2", "-m", "Not pushed", "side")
    [finding] = history.verify(all_tags=True).findings
    assert finding.revisions[0].names == ("v2",)
    # Of all commits, the one that brought it; the one after it changes nothing that matters.
    report = history.verify(all_commits=True)
    assert named(report.findings) == extra
    brought = history.git("rev-parse", "side~1")
    assert [one.commit for one in report.findings[0].revisions] == [brought]
    # The dataset's old name and its new one.
    assert {"table.csv", "renamed.csv"} <= {one.name for one in report.datasets}


def test_commits_with_the_same_needs_are_read_once_and_all_named(history: Published) -> None:
    report = history.verify("side", "side~1")
    assert [one.names for one in report.findings[0].revisions] == [("side",), ("side~1",)]


def test_foreign_objects_are_named_and_never_touched(history: Published) -> None:
    foreign = {"files/md5/aa/" + "b" * 30: b"another project's", "files/md5/README": b"not DVC's"}
    for path, content in foreign.items():
        history.put(path, content)
    history.put("runs/aa/whatever", b"a run cache is no data")
    report = history.verify(all_commits=True, repair=True)
    assert report.ok
    assert report.foreign_keys == sorted(f"{history.prefix}/{path}" for path in foreign)
    assert report.foreign_size == sum(map(len, foreign.values()))
    assert {path: history.get(path) for path in foreign} == foreign
    # Of less than all commits, others can need what these do not.
    assert history.verify().foreign_keys is None


def test_a_word_that_is_no_revision_is_wrong_usage(history: Published) -> None:
    done = history.clone.run("bucket", "verify", "--rev", "nothing", check=False)
    assert done.returncode == 2
    assert "Unknown revision nothing" in done.stderr
    with pytest.raises(RevisionError, match="git log"):
        history.verify("--all")


def test_a_shallow_clone_is_checked_as_far_as_it_goes(history: Published, tmp_path: Path) -> None:
    shallow = replace(history, root=tmp_path / "shallow")
    history.git("clone", "-q", "--depth", "1", history.root.as_uri(), str(shallow.root))
    (shallow.root / ".env").write_bytes((history.root / ".env").read_bytes())
    local = (history.root / ".dvc" / "config.local").read_text()
    (shallow.root / ".dvc" / "config.local").write_text(local)
    assert shallow.verify(all_commits=True).ok
    with pytest.raises(RevisionError, match="git fetch --unshallow"):
        shallow.verify("HEAD~1")


def test_a_commit_that_dvc_cannot_read_is_no_complete_one(on_seaweed: Published) -> None:
    (on_seaweed.root / "dvc.yaml").write_text("stages: [not: a, mapping\n")
    broken = on_seaweed.commit("Broken")
    [finding] = on_seaweed.verify("HEAD").findings
    assert (finding.fault.kind, finding.revisions[0].commit) == ("unreadable", broken)
    assert "DVC cannot read it" in finding.fault.detail
    (on_seaweed.root / "dvc.yaml").unlink()
    assert on_seaweed.verify().ok


def test_a_commit_of_before_the_project_needs_nothing(on_seaweed: Published) -> None:
    on_seaweed.git("checkout", "-q", "--orphan", "before")
    on_seaweed.git("rm", "-rqf", "--cached", ".")
    on_seaweed.git("commit", "-q", "--allow-empty", "-m", "Before")
    report = on_seaweed.verify("before")
    assert (report.ok, report.objects) == (True, 0)


def test_without_git_there_is_the_workspace(on_seaweed: Published) -> None:
    (on_seaweed.root / ".git").rename(on_seaweed.root.parent / "git")
    assert on_seaweed.verify().objects == 10
    with pytest.raises(ProjectError, match=r"not in a git repository.*`bucket verify` alone"):
        on_seaweed.verify("main")
