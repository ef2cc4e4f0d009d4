"""A folder of an output is replaced if the same clone wrote all of it, and else stays."""

import os
from pathlib import Path

import pytest

from dvc_bucket.base.errors import BucketError, OutputError
from dvc_bucket.dvc import written
from dvc_bucket.jobs import provenance
from tests.bucket.git_tools import TOOLS, Repo
from tests.provenance import made
from tests.safety.conftest import Stranger
from tests.safety.output_tools import FOREIGN, NOT_OURS, seen, write_page


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
        with pytest.raises(OutputError, match="contains the project"):
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
