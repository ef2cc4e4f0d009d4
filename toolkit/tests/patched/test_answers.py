"""Questions about a remote are answered as dvc-s3 answers them, without making its client."""

from collections.abc import Callable
from typing import Any

import dvc_s3
import pytest

from dvc_bucket import Settings
from dvc_bucket.dvc.patched import s3
from dvc_bucket.dvc.patched.s3 import FastS3FileSystem
from tests.patched.cloud import BucketFolder

#: More than a page of a listing, in few folders and in many.
COUNT = 60


@pytest.fixture(scope="module")
def folder(settings: Settings) -> BucketFolder:
    folder = BucketFolder.new(settings)
    for number in range(COUNT):
        (folder / "files" / "md5" / f"0{number % 3}" / f"{number:030}").write_bytes(b"x")
    (folder / "files" / "md5" / "ff" / f"{1:030}.dir").write_bytes(b"[]")
    return folder


#: What DVC asks a remote, given the path of its objects.
QUESTIONS: dict[str, Callable[[Any, str], Any]] = {
    "exists": lambda fs, path: fs.exists(path),
    "exists object": lambda fs, path: fs.exists(f"{path}/00/{0:030}"),
    "exists no object": lambda fs, path: fs.exists(f"{path}/00/{1:030}"),
    "exists part of a name": lambda fs, path: fs.exists(f"{path}/0"),
    "exists many": lambda fs, path: fs.exists(
        [f"{path}/0{number % 4}/{number:030}" for number in range(COUNT + 9)]
    ),
    "isfile": lambda fs, path: [fs.isfile(f"{path}/00"), fs.isfile(f"{path}/00/{0:030}")],
    "find": lambda fs, path: sorted(fs.find(path)),
    "find nothing": lambda fs, path: sorted(fs.find(f"{path}/99")),
    "find begins": lambda fs, path: sorted(fs.find(f"{path}/00/{0:03}", prefix=True)),
    "find begins otherwise": lambda fs, path: sorted(fs.find(f"{path}/01/9", prefix=True)),
    "find several": lambda fs, path: sorted(fs.find([f"{path}/00/0", f"{path}/02/"], prefix=True)),
    "find begins a folder": lambda fs, path: sorted(fs.find(f"{path}/02", prefix=True)),
    "ls": lambda fs, path: sorted(fs.ls(path)),
    "ls objects": lambda fs, path: sorted(fs.ls(f"{path}/01", detail=False)),
    "open": lambda fs, path: fs.open(f"{path}/ff/{1:030}.dir", "rb").read(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_same_answer(question: str, folder: BucketFolder) -> None:
    config, path = folder.config, f"{folder.fs_path}/files/md5"
    ours, theirs = FastS3FileSystem(**config), dvc_s3.S3FileSystem(**config)
    ask = QUESTIONS[question]
    if question == "open":  # its name promises what is not in it
        with pytest.raises(Exception, match="damaged"):
            ask(ours, path)
    else:
        assert ask(ours, path) == ask(theirs, path)
    assert ("fs" in ours.__dict__) == (question == "find begins a folder")


def test_a_folder_of_more_pages_than_are_listed_is_asked_for_the_rest(
    folder: BucketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "PAGE", 2)  # of the folder's 20 objects, 8 are listed
    path = f"{folder.fs_path}/files/md5/00"
    names = [f"{path}/{number:030}" for number in (0, 57, 54, 60)]
    assert FastS3FileSystem(**folder.config).exists(names) == [True, True, True, False]


def test_what_is_not_there_is_not_found(folder: BucketFolder) -> None:
    for system in (FastS3FileSystem(**folder.config), dvc_s3.S3FileSystem(**folder.config)):
        with pytest.raises(FileNotFoundError):
            system.ls(f"{folder.fs_path}/files/md5/99")
        with pytest.raises(FileNotFoundError):
            system.open(f"{folder.fs_path}/files/md5/99/{0:030}.dir", "r")
