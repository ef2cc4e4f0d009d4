"""An output option replaces what the same clone wrote there, and nothing else."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dvc_bucket.base.errors import BucketError, OutputError
from dvc_bucket.dvc import written
from dvc_bucket.jobs import provenance
from tests.bucket.git_tools import TOOLS, Repo
from tests.provenance import made
from tests.safety.conftest import Stranger

#: What a refusal says of a file or folder that the command did not write.
NOT_OURS = r"[Tt]his command did not write .*was changed since"

#: What a folder can hold that we did not write: by its name, how it gets there.
FOREIGN: dict[str, Callable[[Path], object]] = {
    "a file": lambda folder: (folder / "mine.csv").write_text("the only copy"),
    "a file deep inside": lambda folder: _write(folder / "a" / "b" / "mine.csv"),
    "a hidden file": lambda folder: (folder / ".mine").write_text("the only copy"),
    "an edited file of ours": lambda folder: (folder / "page.html").write_text("by hand"),
    "a link to a file": lambda folder: (folder / "link").symlink_to("/etc/hostname"),
    "a link to a folder": lambda folder: (folder / "link").symlink_to("/etc"),
    "a link in the place of our file": lambda folder: _link(folder / "page.html"),
    "an empty folder": lambda folder: (folder / "empty").mkdir(),
    "a pipe": lambda folder: os.mkfifo(folder / "pipe"),
    "a crate's name": lambda folder: (folder / "ro-crate-metadata.json").write_text("{}"),
}


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("the only copy")


def _link(path: Path) -> None:
    (path.parent.parent / "elsewhere.html").write_text("page")
    path.unlink()
    path.symlink_to("../elsewhere.html")


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return made.make(tmp_path_factory.mktemp("outputs") / "clone")


@pytest.fixture
def here(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    monkeypatch.chdir(repo.root)
    return repo


def seen(folder: Path) -> dict[str, object]:
    """All that is in a folder: contents of files, where links lead."""
    return {
        str(path.relative_to(folder)): path.readlink()
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else path.stat().st_mode
        for path in folder.rglob("*")
    }


def write_page(folder: Path, repo: Repo, text: str = "page") -> None:
    with written.new_folder(folder, repo.project) as new:
        (new / "page.html").write_text(text)
        (new / "static").mkdir()
        (new / "static" / "image.svg").write_text(text)


@pytest.mark.parametrize("what", FOREIGN)
def test_a_folder_with_anything_foreign_stays(what: str, here: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_page(folder, here)
    FOREIGN[what](folder)
    before = seen(tmp_path)
    with pytest.raises(OutputError, match=NOT_OURS):
        write_page(folder, here, "other")
    assert seen(tmp_path) == before


@pytest.mark.parametrize("what", [name for name in FOREIGN if "our" not in name])
def test_a_folder_that_we_never_wrote_stays(what: str, here: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    FOREIGN[what](folder)
    before = seen(tmp_path)
    with pytest.raises(OutputError, match=NOT_OURS):
        write_page(folder, here)
    assert seen(tmp_path) == before


def test_our_own_folder_is_replaced_as_a_whole(here: Repo, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    write_page(folder, here)
    (folder / "static" / "image.svg").unlink()
    with written.new_folder(folder, here.project) as new:
        (new / "only.txt").write_text("new")
    assert seen(tmp_path / "deep") == {"out": folder.stat().st_mode, "out/only.txt": b"new"}
    empty = tmp_path / "empty"
    empty.mkdir()
    write_page(empty, here)
    assert (empty / "page.html").read_text() == "page"


def test_another_clone_did_not_write_it(here: Repo, tmp_path: Path) -> None:
    other = made.make(tmp_path / "other")
    write_page(tmp_path / "out", other)
    with pytest.raises(OutputError, match=NOT_OURS):
        write_page(tmp_path / "out", here)


@pytest.mark.parametrize("up", [".", "..", "../.."])
def test_the_project_and_what_holds_it_stay(up: str, tmp_path: Path) -> None:
    repo = made.make(tmp_path / "in" / "clone")
    before = seen(tmp_path)
    for write in (write_page, lambda folder, one: provenance.write(one.project, "HEAD", folder)):
        with pytest.raises(OutputError, match="holds the project"):
            write(repo.root / up, repo)
    assert seen(tmp_path) == before


def test_what_git_or_dvc_tracks_stays_even_if_we_wrote_it(here: Repo) -> None:
    for name, command in (
        ("by-git", ("git", "add", "-f")),
        ("by-dvc", (TOOLS / "dvc", "add", "-q")),
    ):
        folder = here.root / name
        write_page(folder, here)
        here.run(*command, name)
        with pytest.raises(OutputError, match=r"(git|DVC) tracks .* or files in it"):
            write_page(folder, here, "other")
        with pytest.raises(OutputError):
            write_page(folder / "static", here, "other")
        assert (folder / "page.html").read_text() == "page"


def test_a_failure_leaves_the_old_folder_and_nothing_else(here: Repo, tmp_path: Path) -> None:
    write_page(tmp_path / "out", here)
    before = seen(tmp_path)

    def fail() -> None:
        with written.new_folder(tmp_path / "out", here.project) as new:
            (new / "half").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert seen(tmp_path) == before


def test_what_somebody_adds_meanwhile_stays(here: Repo, tmp_path: Path) -> None:
    write_page(tmp_path / "out", here)

    def add() -> None:
        with written.new_folder(tmp_path / "out", here.project):
            (tmp_path / "out" / "mine.csv").write_text("the only copy")

    with pytest.raises(OutputError, match=r"mine\.csv"):
        add()
    assert (tmp_path / "out" / "mine.csv").read_text() == "the only copy"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_record_that_others_could_have_written_counts_for_nothing(
    here: Repo, tmp_path: Path
) -> None:
    write_page(tmp_path / "out", here)
    here.project.written.chmod(0o777)
    try:
        with pytest.raises(OutputError, match=NOT_OURS):
            write_page(tmp_path / "out", here)
    finally:
        here.project.written.chmod(0o700)
    write_page(tmp_path / "out", here)


def test_a_record_of_another_user_counts_for_nothing(
    here: Repo, tmp_path: Path, stranger: Stranger
) -> None:
    write_page(tmp_path / "out", here)
    os.chown(here.project.written, stranger.uid, stranger.gid)
    try:
        with pytest.raises(OutputError, match=NOT_OURS):
            write_page(tmp_path / "out", here)
    finally:
        os.chown(here.project.written, os.geteuid(), os.getegid())


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
        with pytest.raises(OutputError, match="not committed"):
            write_file(here.root / "report.md", here, "lost", force=force)
    here.add("new.md", "only in the index")
    with pytest.raises(OutputError, match="not committed"):
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


def test_a_place_that_cannot_be_written_is_one_sentence(here: Repo, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BucketError, match="cannot be written"):
        write_page(tmp_path / "file" / "out", here)


def test_a_folder_that_cannot_be_looked_into_stays(open_folder: Path, stranger: Stranger) -> None:
    inside = open_folder / "out" / "inside"
    inside.mkdir(parents=True, mode=0o700)
    (inside / "mine.csv").write_text("the only copy")
    for path in (open_folder, open_folder / "out"):
        os.chown(path, stranger.uid, stranger.gid)

    def write() -> None:
        os.chdir(open_folder)
        with written.new_folder(open_folder / "out"):
            pass

    with pytest.raises(OutputError, match="Permission denied"):
        stranger.call(write)
    assert (inside / "mine.csv").read_text() == "the only copy"
