"""Stages beside imports: of another project, and of a file from elsewhere."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patched.small_repos import Small, make
from tests.repro.flows import both
from tests.repro.forked import Forks

FLOW = """
    stages:
      of_project:
        cmd: echo of_project >> "$RUNS"; cat theirs > of_project.out
        deps: [theirs]
        outs: [of_project.out]
      of_file:
        cmd: echo of_file >> "$RUNS"; cat file > of_file.out
        deps: [file]
        outs: [of_file.out]
      of_nothing:
        cmd: echo of_nothing >> "$RUNS"; echo > of_nothing.out
        outs: [of_nothing.out]
      of_all:
        cmd: echo of_all >> "$RUNS"; cat *.out frozen > all
        deps: [of_project.out, of_file.out, of_nothing.out, frozen]
        outs: [all]
"""


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with Forks() as running:
        yield running


@pytest.fixture(scope="module")
def importing(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with imports, of which two follow their sources; these have changed since."""
    top = tmp_path_factory.mktemp("imports")
    source = make(top / "source", **{"data": "one\n"})
    publish(forks, source)
    (top / "file").write_text("one\n")
    clone = make(top / "clone", **{"dvc.yaml": FLOW, ".dvcignore": "runs\n"})
    for words in (
        ("import", str(source.root), "data", "--out", "theirs"),
        ("import-url", str(top / "file"), "file"),
        ("import-url", str(top / "file"), "frozen"),
        ("unfreeze", "theirs.dvc", "file.dvc"),
    ):
        assert forks.run(clone.root, *words)[0] == 0
    clone.git("add", "--all")
    source.write("data", "two\n")
    publish(forks, source)
    (top / "file").write_text("two\n")
    return clone.root


def publish(forks: Forks, source: Small) -> None:
    assert forks.run(source.root, "add", "data")[0] == 0
    source.save()


def test_what_has_changed_at_its_source_is_imported_and_its_stages_run(
    forks: Forks, importing: Path
) -> None:
    plain, ours = both(forks, importing, ("--all-pipelines",))
    assert ours == plain
    assert ours.status == 0
    assert ours.runs == ["of_all", "of_file", "of_nothing", "of_project"]
    # DVC imports from the other project again what the recorded commit has.
    assert ours.tree["all"] == b"two\n\none\none\n"


def test_a_source_that_is_gone_stops_what_needs_it(forks: Forks, importing: Path) -> None:
    root = importing.with_name("gone")
    shutil.copytree(importing, root, symlinks=True)
    text = (root / "file.dvc").read_text()
    (root / "file.dvc").write_text(text.replace("/file\n", "/nowhere\n"))
    plain, ours = both(forks, root, ("--all-pipelines", "--keep-going"))
    assert ours.status == plain.status == 255
    assert ours.runs == plain.runs == ["of_nothing", "of_project"]
    assert ours.tree["dvc.lock"] == plain.tree["dvc.lock"]
