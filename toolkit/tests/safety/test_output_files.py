"""A file of an output is replaced if the same clone wrote it; every command keeps the rule."""

import os
import re
from pathlib import Path

import pytest

from dvc_bucket.base.errors import OutputError
from dvc_bucket.dvc import written
from tests.bucket.git_tools import TOOLS, Repo
from tests.safety.output_tools import NOT_OURS, seen


def write_file(path: Path, repo: Repo, text: str, *, force: bool = False) -> None:
    with written.new_file(path, repo.project, force=force) as file:
        file.write(text.encode())


def test_our_own_file_is_replaced_and_another_wants_force(here: Repo, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.md"
    for text in ("one", "two"):
        write_file(path, here, text)
    path.write_text("edited by hand")
    with pytest.raises(OutputError, match="--force"):
        write_file(path, here, "three")
    assert path.read_text() == "edited by hand"
    write_file(path, here, "three", force=True)
    write_file(path, here, "four")
    assert path.read_text() == "four"


def test_a_committed_file_is_replaced_and_uncommitted_changes_never(here: Repo) -> None:
    here.add("report.md", "committed")
    here.commit("--no-verify")
    write_file(here.root / "report.md", here, "ours")
    write_file(here.root / "report.md", here, "ours again")
    here.write("report.md", "an edit")
    for force in (False, True):
        with pytest.raises(OutputError, match="uncommitted changes"):
            write_file(here.root / "report.md", here, "lost", force=force)
    here.add("new.md", "only in the index")
    with pytest.raises(OutputError, match="uncommitted changes"):
        write_file(here.root / "new.md", here, "lost", force=True)
    assert (here.root / "report.md").read_text() == "an edit"


def test_a_file_of_dvc_is_never_replaced(here: Repo) -> None:
    here.write("data.csv", "data")
    here.run(TOOLS / "dvc", "add", "-q", "data.csv")
    for path in ("data.csv", "link.csv"):
        if path == "link.csv":
            (here.root / path).symlink_to("data.csv")
        with pytest.raises(OutputError, match="DVC tracks"):
            write_file(here.root / path, here, "lost", force=True)
    assert (here.root / "data.csv").read_text() == "data"


@pytest.mark.parametrize("what", ["folder", "pipe", "device"])
def test_what_is_no_file_is_not_replaced(what: str, here: Repo, tmp_path: Path) -> None:
    path = tmp_path / "thing"
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path = Path(os.devnull)
    with pytest.raises(OutputError, match="is not a file"):
        write_file(path, here, "lost", force=True)
    assert not path.is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("provenance", "--out", "OUT"),
        ("provenance", "--zip", "--out", "OUT"),
        ("report", "--base", "HEAD~1", "--no-remote", "--output", "OUT"),
        ("report", "--base", "HEAD~1", "--no-remote", "--plots", "OUT"),
        ("pack", "code", "OUT"),
    ],
    ids=" ".join,
)
def test_every_command_with_an_output_keeps_the_rule(
    words: tuple[str, ...], here: Repo, tmp_path: Path
) -> None:
    here.git("commit", "-q", "--allow-empty", "--no-verify", "-m", "Another")
    out = tmp_path / "out"
    command = [word if word != "OUT" else str(out) for word in words]
    here.bucket(*command)
    here.bucket(*command)
    [path] = tmp_path.iterdir()
    if path.is_dir():
        (path / "mine.csv").write_text("the only copy")
    else:
        path.write_text("the only copy")
    before = seen(tmp_path)
    done = here.bucket(*command, check=False)
    assert done.returncode == 1
    assert re.search(NOT_OURS, done.stderr)
    assert done.stderr.count("\n") <= 2
    assert seen(tmp_path) == before
