"""No name in data leads a file out of its folder, whichever command makes a path of it."""

import re
import subprocess
from pathlib import Path

import pytest

from dvc_bucket import copy_to
from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import BucketError, UnsafePathError
from dvc_bucket.dvc.remote import Contents, ids
from tests.bucket.git_tools import TOOLS
from tests.provenance.made import CITATION
from tests.safety.hostile import BODY, GOOD, NAMES, files, publish
from tests.stores.fixtures import access
from tests.verify.published import Published, empty

#: A list cannot have these: JSON has no such text, or a directory no such file.
FROM_LISTS = {what: name for what, name in NAMES.items() if what != "empty"}


@pytest.fixture(scope="module")
def published(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """A project with a run on record, in a folder of its own."""
    made = empty(tmp_path_factory.mktemp("around") / "in" / "project", access(request, "seaweed"))
    (made.root / "dvc.yaml").write_text("stages: {copy: {cmd: cp a b, deps: [a], outs: [b]}}\n")
    (made.root / "a").write_text("1\n")
    made.dvc("repro", "-q")
    (made.root / "CITATION.cff").write_text(CITATION)
    made.commit("A run")
    return made


@pytest.fixture
def project(published: Published, monkeypatch: pytest.MonkeyPatch) -> Published:
    monkeypatch.chdir(published.root)
    return published


@pytest.mark.parametrize("what", NAMES)
def test_a_name_that_leads_elsewhere_is_refused_and_shown_harmlessly(
    what: str, tmp_path: Path
) -> None:
    with pytest.raises(UnsafePathError, match=re.escape(repr(NAMES[what]))) as raised:
        safe_paths.below(tmp_path, NAMES[what])
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", GOOD)
def test_an_unusual_name_is_a_path_below_the_folder(name: str, tmp_path: Path) -> None:
    assert safe_paths.below(tmp_path, name) == tmp_path / name


def test_a_link_inside_the_folder_leads_nowhere_else(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "real").mkdir(parents=True)
    outside.mkdir()
    (inside / "own").symlink_to("real")
    (inside / "out").symlink_to(outside)
    (inside / "real" / "deeper").symlink_to("../../outside")
    (inside / "nowhere").symlink_to(tmp_path / "not there")
    (tmp_path / "entry").symlink_to(inside)
    for folder in (inside, tmp_path / "entry"):
        assert safe_paths.below(folder, "own/file") == folder / "own/file"
        # The last part is replaced, never followed.
        assert safe_paths.below(folder, "out") == folder / "out"
        for name in ("out/file", "own/deeper/file", "real/deeper/a/b", "nowhere/file"):
            with pytest.raises(UnsafePathError, match="is a link to"):
                safe_paths.below(folder, name)


@pytest.mark.parametrize("what", FROM_LISTS)
def test_no_command_writes_a_hostile_name_of_a_list(
    project: Published, what: str, tmp_path: Path
) -> None:
    publish(project, ["ok.txt", FROM_LISTS[what]])
    before = files(project.root.parents[1])
    with pytest.raises(UnsafePathError):
        copy_to(["hostile"], tmp_path / "deep" / "fast")
    assert files(tmp_path) == {}
    assert files(project.root.parents[1]) == before
    assert not Path("/tmp/dvc-bucket-escaped").exists()


@pytest.mark.parametrize("what", ["up", "absolute", "a git repository"])
def test_pull_and_provenance_refuse_it_in_one_sentence(
    project: Published, what: str, tmp_path: Path
) -> None:
    publish(project, ["ok.txt", NAMES[what]])
    project.git("add", "hostile.dvc")
    project.git("commit", "-qm", "Hostile")
    before = files(project.root.parents[1])
    out = tmp_path / "crate"
    for words in (
        ("pull", "--force", "hostile.dvc"),
        ("provenance", "--out", str(out), "--with", "hostile"),
        ("cp", "hostile", "--rev", "HEAD", str(tmp_path / "fast")),
    ):
        done = project.clone.run(TOOLS / "bucket", *words, check=False)
        assert done.returncode != 0, words
        assert repr(NAMES[what])[1:] in done.stderr, words
        assert "Traceback" not in done.stderr
    assert files(project.root.parents[1]) == before
    assert not out.exists()


def test_plain_dvc_refuses_it_too(project: Published) -> None:
    publish(project, ["ok.txt", NAMES["up"]])
    before = files(project.root.parents[1])
    words = ("pull", "--force", "hostile.dvc")
    done = project.clone.run(TOOLS / "bucket", *words, check=False, BUCKET_FAST="0")
    assert done.returncode != 0
    assert done.stderr.startswith("bucket: BUCKET_FAST=0: plain DVC")
    assert repr(NAMES["up"])[1:] in done.stderr
    assert files(project.root.parents[1]) == before


@pytest.mark.parametrize("folder", ["..", ".git"])
def test_a_hostile_tree_of_git_is_refused(project: Published, folder: str, tmp_path: Path) -> None:
    """Git refuses to check such a tree out; anybody can make and push one."""

    def made(words: str, text: bytes) -> str:
        command = ["git", *words.split()]
        done = subprocess.run(
            command, cwd=project.root, input=text, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    blob = made("hash-object -w --stdin", BODY)
    tree = made("mktree", f"100644 blob {blob}\tescaped\n".encode())
    whole = project.git("cat-file", "-p", "HEAD^{tree}") + f"\n040000 tree {tree}\t{folder}\n"
    commit = project.git("commit-tree", made("mktree", whole.encode()), "-p", "HEAD", "-m", "x")
    before = files(project.root.parents[1])
    out = project.root.parent / "crate"
    done = project.clone.run(
        TOOLS / "bucket", "provenance", commit, "--out", out, check=False, TMPDIR=str(tmp_path)
    )
    assert done.returncode == 1
    assert f"'{folder}/escaped'" in done.stderr
    assert files(project.root.parents[1]) == before


def test_cp_goes_through_no_link_of_the_target(project: Published, tmp_path: Path) -> None:
    publish(project, ["a/b"])
    target, outside = tmp_path / "fast", tmp_path / "outside"
    (target / "hostile").mkdir(parents=True)
    outside.mkdir()
    (target / "hostile" / "a").symlink_to(outside)
    with pytest.raises(UnsafePathError, match="is a link to"):
        copy_to(["hostile"], target)
    assert not any(outside.iterdir())


def test_names_that_need_the_same_path_are_one_sentence(project: Published, tmp_path: Path) -> None:
    publish(project, ["a", "a/b"])
    with pytest.raises(BucketError, match="a file is in the place of a folder"):
        copy_to(["hostile"], tmp_path / "fast")


@pytest.mark.parametrize("path", ["a/..", "..", "a/", "a/.git"])
def test_a_report_keeps_no_file_under_a_hostile_name(path: str, tmp_path: Path) -> None:
    contents = Contents(tmp_path / "cache", None, tmp_path / "spool")
    with pytest.raises(UnsafePathError):
        contents.file(path, ids.encode("0" * 32))
    assert not (tmp_path / "spool").exists() or not any((tmp_path / "spool").iterdir())


def test_a_good_list_with_unusual_names_is_copied(project: Published, tmp_path: Path) -> None:
    publish(project, GOOD)
    done = copy_to(["hostile"], tmp_path / "fast")
    assert done.copied == len(GOOD)
    for name in GOOD:
        assert (tmp_path / "fast" / "hostile" / name).read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["fast"]
