"""Kinds of link that do not work are tried once, and DVC finds the same ones as ever."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from dvc_objects.fs import generic, system
from dvc_objects.fs.local import localfs

from dvc_bucket.dvc.patched import tried_links

KINDS = ["reflink", "hardlink", "symlink", "copy"]


@pytest.fixture(autouse=True)
def _nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tried_links, "_refused", set())
    monkeypatch.setattr(tried_links, "_working", {})


def test_the_kinds_between_two_folders_are_those_that_dvc_finds(tmp_path: Path) -> None:
    cache, one, two = (tmp_path / name for name in ("cache", "one", "two"))
    working = tried_links.working(generic.test_links)

    def found(kinds: list[str], folder: Path, name: str) -> list[str]:
        return working(kinds, localfs, str(cache), localfs, str(folder / name))

    plain = generic.test_links(KINDS, localfs, str(cache), localfs, str(one / "a"))
    first = found(KINDS, one, "a")
    assert first == plain
    del first[:]  # as DVC does
    before = [folder.stat().st_mtime_ns for folder in (cache, one)]
    assert found(KINDS, one, "b") == plain
    assert [folder.stat().st_mtime_ns for folder in (cache, one)] == before
    assert found(["copy"], one, "b") == ["copy"]
    assert found(KINDS, two, "a") == plain
    assert two.is_dir()


def test_a_file_system_that_cannot_clone_is_asked_once(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("x")
    plain: Any = system.reflink
    try:
        plain(source, tmp_path / "clone")
        pytest.skip("files can be cloned here")
    except OSError as error:
        refusal = error.errno
    reflink = tried_links.reflink(plain)
    asked = []
    with pytest.raises(OSError, match=os.strerror(refusal or 0)):
        reflink(source, tmp_path / "first")
    counted = tried_links.reflink(lambda *paths: asked.append(paths))
    with pytest.raises(OSError, match=os.strerror(errno.ENOTSUP)):
        counted(source, tmp_path / "second")
    assert asked == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_a_file_that_cannot_be_cloned_for_another_reason_says_nothing_of_others(
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    source.write_text("x")

    def busy(*_: object) -> None:
        raise OSError(errno.ETXTBSY, "in use")

    with pytest.raises(OSError, match="in use"):
        tried_links.reflink(busy)(source, tmp_path / "clone")
    asked = []
    tried_links.reflink(lambda *paths: asked.append(paths))(source, tmp_path / "clone")
    assert len(asked) == 1


def test_kinds_of_which_none_works_now_are_tried_again(tmp_path: Path) -> None:
    """As on a disk that is full for a moment."""
    answers = [[], ["copy"]]
    working = tried_links.working(lambda *_: answers.pop(0))
    place = (KINDS, localfs, str(tmp_path / "cache"), localfs, str(tmp_path / "file"))
    assert [working(*place) for _ in range(3)] == [[], ["copy"], ["copy"]]
