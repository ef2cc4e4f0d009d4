"""A `.dvc` file that git tracks is seen by DVC; or it is named, and nothing is called complete."""

import re

import pytest

from bucket.doctor.check import Problem
from bucket.doctor.patient import Patient
from bucket.doctor.repository import DvcFilesSeen
from tests.end_to_end.clones import REPOSITORY
from tests.safety.template_project import make
from tests.verify.published import Published, named

#: A file, a folder, and both in nested folders.
ADDED = (
    "data/raw/one.csv",
    "data/raw/folder",
    "data/raw/nested/deep/er/two.csv",
    "data/interim/nested/three.csv",
    "data/processed/nested/folder",
)

PIPELINE = """\
stages:
  count:
    cmd: wc -c <data/raw/FILE >data/interim/count.txt
    deps: [data/raw/FILE]
    outs: [data/interim/count.txt]
"""


def add(project: Published, path: str) -> None:
    """Put a file, or a folder of two, into a folder of the data, and have DVC track it."""
    names = [path] if path.endswith(".csv") else [f"{path}/a.bin", f"{path}/sub/b.bin"]
    for name in names:
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
        (project.root / name).write_text(f"{name} of {project.prefix}\n")
    project.dvc("add", path)


@pytest.mark.parametrize("path", ADDED)
def test_dvc_add_works_at_any_depth_and_git_takes_its_files(
    template: Published,
    path: str,
) -> None:
    add(template, path)
    template.commit("Data")
    tracked = template.git("ls-files").splitlines()
    assert f"{path}.dvc" in tracked
    assert not [name for name in tracked if name.startswith(path) and not name.endswith(".dvc")]
    assert template.git("status", "--porcelain", "--untracked-files=all") == ""
    assert named(template.verify().findings)  # not pushed yet
    template.clone.run("bucket", "push")
    assert template.verify().ok
    assert template.verify().objects >= 1


def test_the_section_on_your_own_data_holds_word_by_word(
    template: Published,
) -> None:
    page = (REPOSITORY / "README.md").read_text()
    section = page.partition("\n## Your own data\n")[2].partition("\n## ")[0]
    assert re.search(
        r"`dvc add data/raw/FILE`, commit the small\s+`.dvc` file, `make push`, and\s+give them as"
        r" `deps` to the first stage",
        section,
    )
    for folder in ("data/raw", "data/interim"):
        (template.root / folder).mkdir(parents=True)
    (template.root / "data/raw/FILE").write_text("measured\n")
    template.dvc("add", "data/raw/FILE")
    template.git("add", "data/raw/FILE.dvc")
    template.git("commit", "-q", "-m", "My data")
    make(template, "push")
    (template.root / "dvc.yaml").write_text(PIPELINE)
    template.clone.run("bucket", "repro")
    assert (template.root / "data/interim/count.txt").read_text().strip() == "9"
    assert template.clone.run("git", "status", "--porcelain").stdout == "?? dvc.lock\n?? dvc.yaml\n"
    template.commit("My stage")
    make(template, "push")
    make(template, "verify")


#: Ignore rules that hide data/raw/one.csv.dvc, the file and the line that are to be named.
HIDING = {
    ".gitignore": ("/data/raw/*\n!/data/raw/*.dvc\n", ".gitignore:1:/data/raw/*"),
    "data/.gitignore": ("# mine\nraw/\n", "data/.gitignore:2:raw/"),
    "data/raw/.gitignore": ("*.dvc\n", "data/raw/.gitignore:1:*.dvc"),
    ".dvcignore": ("/data\n", ".dvcignore:1:/data"),
}


@pytest.mark.parametrize("file", HIDING)
def test_a_tracked_file_that_dvc_does_not_see_is_named_with_the_line_that_hides_it(
    template: Published,
    file: str,
) -> None:
    add(template, "data/raw/one.csv")
    template.commit("Data")
    rules, line = HIDING[file]
    kept = "/.env\n/.venv\n/.dvc/tmp\n/.dvc/cache\n" if file == ".gitignore" else ""
    (template.root / file).write_text(rules + kept)

    verified = template.clone.run("bucket", "verify", check=False)
    assert verified.returncode == 1
    assert "Complete" not in verified.stdout
    assert f"data/raw/one.csv.dvc (DVC does not see it: {line} hides it)" in verified.stdout

    for word in ("push", "fetch"):
        moved = template.clone.run("bucket", word, check=False)
        assert moved.returncode == 1
        assert f"data/raw/one.csv.dvc: DVC does not see it: {line} hides it" in moved.stderr

    with pytest.raises(Problem, match=re.escape(f"one.csv.dvc: DVC does not see it: {line}")):
        DvcFilesSeen.check(Patient(template.project))


def test_a_file_inside_data_that_dvc_tracks_as_a_whole_is_named(
    template: Published,
) -> None:
    add(template, "data/raw/folder")
    (template.root / "data/raw/folder/more.csv").write_text("more")
    (template.root / "data/raw/folder/more.csv.dvc").write_text("outs:\n- path: more.csv\n")
    template.git("add", "-f", "data/raw/folder/more.csv.dvc")
    found = [one.fault.detail for one in template.verify().findings if one.name is None]
    assert found == [
        "DVC does not see it: it is inside data/raw/folder, which DVC tracks as a whole"
    ]


@pytest.mark.parametrize("text", ["", "outs: []\n"])
def test_a_file_that_names_no_data_any_more_is_named(template: Published, text: str) -> None:
    add(template, "data/raw/one.csv")
    template.commit("Data")
    template.clone.run("bucket", "push")
    (template.root / "data/raw/one.csv.dvc").write_text(text)
    verified = template.clone.run("bucket", "verify", check=False)
    assert verified.returncode == 1
    assert "Complete" not in verified.stdout
    assert "data/raw/one.csv.dvc (it names no data" in verified.stdout


def test_files_of_another_project_inside_this_one_are_not_missed(
    template: Published,
) -> None:
    add(template, "data/raw/one.csv")
    template.clone.run("bucket", "push")
    for name, text in ((".dvc/config", ""), ("x.csv.dvc", "outs:\n- path: x.csv\n")):
        path = template.root / "inner" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    template.commit("Another project")
    assert template.verify().ok


def test_a_commit_and_a_project_without_git_are_read_as_before(
    template: Published,
) -> None:
    add(template, "data/raw/one.csv")
    commit = template.commit("Data")
    template.clone.run("bucket", "push")
    assert template.verify(commit).ok
    (template.root / ".git").rename(template.root.parent / "git")
    assert template.verify().ok
