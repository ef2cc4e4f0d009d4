"""What `bucket provenance` writes: the same bytes for a commit, folder or zip; else, one line."""

import contextlib
import subprocess
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dvc_bucket import Project
from dvc_bucket.base.errors import LockError, OutputError, ProjectError, RevisionError
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.jobs import provenance
from tests.bucket.git_tools import TOOLS, Repo, make_repo
from tests.projects import copy_files
from tests.provenance import validator
from tests.provenance.conftest import read_graph


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The crate of a project whose stages DVC has run."""
    folder = tmp_path_factory.mktemp("ran")
    repo = make_repo(folder / "clone")
    copy_files(repo.root)
    with contextlib.chdir(repo.root), opened(repo.project) as dvc:
        dvc.reproduce()
    repo.git("add", "--all")
    repo.commit()
    provenance.write(repo.project, "HEAD", folder / "crate")
    return folder / "crate"


def test_the_crate_of_a_run_by_dvc_validates(ran: Path, tmp_path: Path) -> None:
    assert validator.issues(ran, tmp_path / "cache.sqlite") == []
    graph = read_graph(ran)
    assert validator.unknown_terms({"@graph": list(graph.values())}) == set()
    stages = [name for name in graph if name.startswith("#run/")]
    assert stages == ["#run/levels", "#run/highest"]
    assert all(graph[name]["result"] for name in stages)


def test_a_commit_gives_the_same_bytes_wherever_it_is(
    repo: Repo, crate: Path, tmp_path: Path
) -> None:
    """From another clone, by another name of the commit, in another time zone and locale."""
    clone = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", "--depth", "1", repo.root.as_uri(), clone], check=True)
    env = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    there = Repo(clone, Project(clone))
    out = tmp_path / "there"
    for options in ((), ("--zip",)):
        command: list[str | Path] = [
            TOOLS / "bucket",
            "provenance",
            repo.head[:10],
            "--out",
            out,
            *options,
        ]
        done = there.run(*command, env=env)
        assert done.stdout.strip() == str(out.with_suffix(".zip" if options else ""))
    files = sorted(path.relative_to(crate) for path in crate.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    for file in files:
        assert (out / file).read_bytes() == (crate / file).read_bytes(), file
    written = provenance.write(repo.project, "HEAD", tmp_path / "here", as_zip=True)
    assert written.place.read_bytes() == out.with_suffix(".zip").read_bytes()
    with zipfile.ZipFile(written.place) as packed:
        assert packed.namelist() == sorted(map(str, files))
        assert packed.testzip() is None


class Links(HTMLParser):
    """Anchors and what refers to them or to files."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "img", "link", "iframe"}
        for name, value in attrs:
            if name in {"id", "href"} and value:
                (self.ids if name == "id" else self.links).append(value)


@pytest.mark.parametrize("which", ["ran", "crate"])
def test_every_link_of_the_page_leads_somewhere(which: str, request: pytest.FixtureRequest) -> None:
    every_link_leads_somewhere(request.getfixturevalue(which))


def every_link_leads_somewhere(folder: Path) -> None:
    """Look at each link of a crate's page."""
    page = Links((folder / "ro-crate-preview.html").read_text())
    assert len(set(page.ids)) == len(page.ids)
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif not link.startswith("https://"):
            assert (folder / link).exists(), link


def test_pages_are_where_the_table_of_the_commit_says(repo: Repo, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "-b", "moved")
    table = '[tool.dvc-bucket]\ndata-page = "docs/deep/data.md"\nlicense-file = "COPYING"\n'
    table += 'lock-file = "locks/all.lock"\n'
    repo.add("pyproject.toml", (repo.root / "pyproject.toml").read_text() + table)
    repo.add("COPYING", "Do as you like.\n")
    repo.add("locks/all.lock", "dvc==3.67.1\n")
    (repo.root / "docs" / "deep").mkdir(parents=True)
    repo.git("mv", "data/README.md", "docs/deep/data.md")
    page = repo.root / "docs/deep/data.md"
    repo.add("docs/deep/data.md", page.read_text().replace("`../raw.csv`", "`../../raw.csv`"))
    repo.commit("--no-verify")
    provenance.write(repo.project, "HEAD", tmp_path / "out")
    repo.git("checkout", "-q", "-")
    found = read_graph(tmp_path / "out")
    assert {"docs/deep/data.md", "COPYING", "locks/all.lock"} <= set(found)
    assert found["locks/all.lock"]["description"] == "The environment, for pip."
    licences = [one["license"]["@id"] for one in found.values() if one.get("name") == "raw.csv"]
    assert licences == ["https://spdx.org/licenses/CC-BY-4.0"]
    assert found["dvc.yaml"]["buildInstructions"][0] == {"@id": "locks/all.lock"}


def test_an_older_crate_is_replaced_and_nothing_else(repo: Repo, tmp_path: Path) -> None:
    out = tmp_path / "out"
    provenance.write(repo.project, "HEAD", out)
    (out / "dvc.yaml").unlink()
    provenance.write(repo.project, "HEAD", out)
    assert (out / "dvc.yaml").exists()
    (out / "left.txt").write_text("of somebody")
    with pytest.raises(OutputError, match=r"did not write left\.txt in it"):
        provenance.write(repo.project, "HEAD", out)
    assert (out / "left.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_cannot_be_described_is_one_line(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(RevisionError, match="Unknown revision v9"):
        provenance.write(repo.project, "v9", tmp_path / "out")
    repo.git("checkout", "-q", "-b", "faults")
    faults = [
        ("dvc.lock", "schema: '2.0'\n<<<<<<< HEAD\n=======\n", LockError, "this is not YAML"),
        ("dvc.lock", "schema: '2.0'\nstages: {}\n", ProjectError, "records no run of a stage"),
        ("CITATION.cff", "title: x\n", ProjectError, "license: MIT"),
        ("CITATION.cff", "a: [\n", ProjectError, "CITATION.cff, line"),
        ("pyproject.toml", "[", ProjectError, "not TOML"),
    ]
    for path, text, error, said in faults:
        repo.add(path, text)
        repo.commit("--no-verify")
        with pytest.raises(error, match=said):
            provenance.write(repo.project, "HEAD", tmp_path / "out")
        repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("checkout", "-q", "-")
    assert not list(tmp_path.iterdir())


def test_the_zip_of_the_current_folder_is_beside_it(repo: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    with contextlib.chdir(folder):
        written = provenance.write(repo.project, "HEAD", Path(), as_zip=True)
    assert written.place == tmp_path / "here.zip"
    assert zipfile.is_zipfile(written.place)
