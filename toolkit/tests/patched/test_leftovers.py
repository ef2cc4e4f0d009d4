"""What an interrupted check-out leaves does not stop the next one; a person's files do."""

import os
from pathlib import Path
from typing import Any

import pytest
from dvc.exceptions import DvcException
from dvc_objects.fs import local
from dvc_objects.fs.utils import tmp_fname

from tests.patched.tools import add_data, way


@pytest.fixture
def folder(tmp_dir: Any, dvc: Any) -> Path:
    """A folder that lacks a file."""
    add_data(Path(tmp_dir), dvc)
    found = Path(tmp_dir) / "many" / "deep"
    (found / "007.bin").rename(found / tmp_fname())
    return found


@pytest.mark.parametrize("left", [0, 100, 507])
def test_the_beginning_of_a_file_is_removed(folder: Path, dvc: Any, left: int) -> None:
    [unfinished] = folder.glob(".*")
    os.truncate(unfinished, left)
    with way("fast"):
        dvc.checkout()
        assert dvc.status() == {}
    assert not unfinished.exists()
    assert (folder / "007.bin").stat().st_size == 507


def test_other_content_is_not_removed(folder: Path, dvc: Any) -> None:
    [unfinished] = folder.glob(".*")
    unfinished.write_text("mine")
    with way("fast"), pytest.raises(DvcException, match="unsaved files"):
        dvc.checkout()
    assert unfinished.read_text() == "mine"


def test_nor_is_a_file_of_another_name(folder: Path, dvc: Any) -> None:
    [unfinished] = folder.glob(".*")
    os.truncate(unfinished, 100)
    mine = unfinished.rename(folder / ".mine.tmp")
    with way("fast"), pytest.raises(DvcException, match="unsaved files"):
        dvc.checkout()
    assert mine.stat().st_size == 100


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_copy_that_ends_early_leaves_nothing(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_: object, dest: str, **__: object) -> None:
        Path(dest).write_bytes(b"half")
        raise error

    (tmp_path / "whole").write_bytes(b"whole")
    monkeypatch.setattr(local, "copyfile", half)
    with way("fast"), pytest.raises((KeyboardInterrupt, OSError)):
        local.localfs.put_file(str(tmp_path / "whole"), str(tmp_path / "copy"))
    assert [one.name for one in tmp_path.iterdir()] == ["whole"]
