"""`bucket pack` has every file of the folder in the shards, or says what it cannot pack."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dvc_bucket.errors import PackError
from dvc_bucket.read import packing
from tests.safety.conftest import Stranger

#: What a folder can hold that is no file, by its name: how it gets there.
ODD: dict[str, Callable[[Path], object]] = {
    "a link to a folder": lambda path: path.symlink_to(path.parent.parent / "elsewhere"),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "a pipe": os.mkfifo,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("pictures/a/1.png", "elsewhere/2.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    return tmp_path / "pictures"


@pytest.mark.parametrize("what", ODD)
def test_what_cannot_be_packed_is_named_and_nothing_is_written(what: str, folder: Path) -> None:
    ODD[what](folder / "a" / "odd")
    with pytest.raises(PackError, match="odd is not a regular file"):
        packing.pack(folder, folder.parent / "shards")
    assert not (folder.parent / "shards").exists()


@pytest.mark.parametrize("form", packing.ENDS)
def test_a_link_to_a_file_is_packed_as_the_file(folder: Path, form: str) -> None:
    (folder / "a" / "0.png").symlink_to(folder.parent / "elsewhere" / "2.png")
    assert packing.pack(folder, folder.parent / "shards", form=form).files == 2


def test_a_folder_that_cannot_be_listed_is_named(open_folder: Path, stranger: Stranger) -> None:
    folder = open_folder / "pictures"
    (folder / "secret").mkdir(parents=True)
    for name in ("1.png", "secret/2.png"):
        (folder / name).write_text(name)
    (folder / "secret").chmod(0o700)
    with pytest.raises(PackError, match=r"secret cannot be listed: Permission denied"):
        stranger.call(lambda: packing.pack(folder, open_folder / "shards"))
