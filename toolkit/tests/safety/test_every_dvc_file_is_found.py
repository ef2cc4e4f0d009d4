"""A `.dvc` file that git tracks is seen by DVC; or it is named, and nothing is called complete."""

import re

import pytest

from dvc_bucket.jobs.doctor.check import Problem
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.repository import DvcFilesSeen
from tests.verify.published import Published, named

#: A file, a folder, and both in nested folders.
ADDED = (
    "data/raw/one.csv",
    "data/raw/folder",
    "data/raw/nested/deep/er/two.csv",
    "data/interim/nested/three.csv",
    "data/processed/nested/folder",
)


def add(project: Published, path: str) -> None:
    """Put a file, or a folder of two, into a folder of the data, and have DVC track it."""
    names = [path] if path.endswith(".csv") else [f"{path}/a.bin", f"{path}/sub/b.bin"]
    for name in names:
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_text(f"{name} of {project.prefix}\n")
    project.dvc("add", path)


@pytest.mark.parametrize("path", ADDED)
def test_dvc_add_works_at_any_depth_and_git_takes_its_files(
    empty_project: Published, path: str
) -> None:
    added_at_any_depth(empty_project, path)


def added_at_any_depth(project: Published, path: str) -> None:
    """Add a path, commit, push, and look at what git and the bucket have."""
    add(project, path)
    project.commit("Data")
    tracked = project.git("ls-files").splitlines()
    assert f"{path}.dvc" in tracked
    assert not [name for name in tracked if name.startswith(path) and not name.endswith(".dvc")]
    assert project.git("status", "--porcelain", "--untracked-files=all") == ""
    assert named(project.verify().findings)  # not pushed yet
    project.clone.run("bucket", "push")
    assert project.verify().ok
    assert project.verify().objects >= 1


#: Ignore rules that hide data/raw/one.csv.dvc, the file and the line that are to be named.
HIDING = {
    ".gitignore": ("/data/raw/*\n!/data/raw/*.dvc\n", ".gitignore:1:/data/raw/*"),
    "data/.gitignore": ("# mine\nraw/\n", "data/.gitignore:2:raw/"),
    "data/raw/.gitignore": ("*.dvc\n", "data/raw/.gitignore:1:*.dvc"),
    ".dvcignore": ("/data\n", ".dvcignore:1:/data"),
}


@pytest.mark.parametrize("file", HIDING)
def test_a_tracked_file_that_dvc_does_not_see_is_named_with_the_line_that_hides_it(
    empty_project: Published,
    file: str,
) -> None:
    add(empty_project, "data/raw/one.csv")
    empty_project.commit("Data")
    rules, line = HIDING[file]
    kept = "/.env\n/.venv\n/.dvc/tmp\n/.dvc/cache\n" if file == ".gitignore" else ""
    (empty_project.root / file).write_text(rules + kept)

    verified = empty_project.clone.run("bucket", "verify", check=False)
    assert verified.returncode == 1
    assert "Complete" not in verified.stdout
    assert f"data/raw/one.csv.dvc (DVC does not see it: {line} hides it)" in verified.stdout

    for word in ("push", "fetch"):
        moved = empty_project.clone.run("bucket", word, check=False)
        assert moved.returncode == 1
        assert f"data/raw/one.csv.dvc: DVC does not see it: {line} hides it" in moved.stderr

    with pytest.raises(Problem, match=re.escape(f"one.csv.dvc: DVC does not see it: {line}")):
        DvcFilesSeen.check(Patient(empty_project.project))


def test_a_file_inside_data_that_dvc_tracks_as_a_whole_is_named(
    empty_project: Published,
) -> None:
    add(empty_project, "data/raw/folder")
    (empty_project.root / "data/raw/folder/more.csv").write_text("more")
    (empty_project.root / "data/raw/folder/more.csv.dvc").write_text("outs:\n- path: more.csv\n")
    empty_project.git("add", "-f", "data/raw/folder/more.csv.dvc")
    found = [one.fault.detail for one in empty_project.verify().findings if one.name is None]
    assert found == [
        "DVC does not see it: it is inside data/raw/folder, which DVC tracks as a whole"
    ]


@pytest.mark.parametrize("text", ["", "outs: []\n"])
def test_a_file_that_names_no_data_any_more_is_named(empty_project: Published, text: str) -> None:
    add(empty_project, "data/raw/one.csv")
    empty_project.commit("Data")
    empty_project.clone.run("bucket", "push")
    (empty_project.root / "data/raw/one.csv.dvc").write_text(text)
    verified = empty_project.clone.run("bucket", "verify", check=False)
    assert verified.returncode == 1
    assert "Complete" not in verified.stdout
    assert "data/raw/one.csv.dvc (it names no data" in verified.stdout


def test_files_of_another_project_inside_this_one_are_not_missed(
    empty_project: Published,
) -> None:
    add(empty_project, "data/raw/one.csv")
    empty_project.clone.run("bucket", "push")
    for name, text in ((".dvc/config", ""), ("x.csv.dvc", "outs:\n- path: x.csv\n")):
        path = empty_project.root / "inner" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    empty_project.commit("Another project")
    assert empty_project.verify().ok


def test_a_commit_and_a_project_without_git_are_read_as_before(
    empty_project: Published,
) -> None:
    add(empty_project, "data/raw/one.csv")
    commit = empty_project.commit("Data")
    empty_project.clone.run("bucket", "push")
    assert empty_project.verify(commit).ok
    (empty_project.root / ".git").rename(empty_project.root.parent / "git")
    assert empty_project.verify().ok
