"""A directory that is added again looks as DVC leaves it: files, cache, links and notes."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc.exceptions import DvcException
from dvc.utils.fs import remove
from dvc_objects.fs import local
from dvc_objects.fs.local import localfs

from dvc_bucket.dvc.patched import added_again
from tests.patched.tools import cache_files, way

WAYS = ("fast", "plain")


def write(path: Path, text: str) -> None:
    """A new file: what was linked to the old one stays."""
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")


def one_more(root: Path, _cache: Path) -> None:
    write(root / "many" / "deep" / "new é.txt", "new")


def nothing(_root: Path, _cache: Path) -> None:
    """As it was."""


def many_changes(root: Path, cache: Path) -> None:
    one_more(root, cache)
    write(root / "many" / "again.txt", "3")
    write(root / "many" / "deep" / "04.txt", "changed")
    (root / "many" / "deep" / "05.txt").unlink()
    os.utime(root / "many" / "deep" / "06.txt", (1, 1))
    (root / "many" / "deep" / "07.txt").rename(root / "many" / "07.txt")
    write(root / ".dvcignore", "*.tmp\n")
    write(root / "many" / "no.tmp", "ignored")
    write(root / "many" / "run", "executable")
    (root / "many" / "run").chmod(0o755)
    (root / "many" / "link").symlink_to("run")
    write(root / "elsewhere", "3")  # in the cache, which this file is no link to
    (root / "many" / "second").hardlink_to(root / "elsewhere")


def lost_objects(root: Path, cache: Path) -> None:
    """One object is gone, one has another content, one is only not protected."""
    one_more(root, cache)
    objects = {path.read_bytes(): path for path in cache.rglob("*") if path.is_file()}
    if not (root / "many" / "deep" / "01.txt").is_symlink():  # else its content is gone, too
        objects[b"1"].unlink()
    other, open_one = objects[b"2"], objects[b"3"]
    other.unlink()
    other.write_bytes(b"wrong")
    open_one.chmod(0o644)


def state_of(root: Path, repo: Any) -> dict[str, Any]:
    """Bytes, mode and kind of each file, and the hash that DVC has noted."""
    found = {}
    for path in sorted(one for one in (root / "many").rglob("*") if not one.is_dir()):
        exists = path.exists()
        meta, noted = repo.state.get(str(path), localfs) if exists else (None, None)
        state = path.lstat()
        found[str(path)] = (
            path.read_bytes() if exists else b"",
            stat.filemode(state.st_mode),
            path.is_symlink() and path.resolve().name,
            state.st_nlink,
            noted.value if noted else None,
            meta.size if meta else None,
        )
    return found


def begin(root: Path, repo: Any, kinds: list[str]) -> Path:
    """A directory that was added; returns the cache."""
    for name in ("many", "many.dvc", ".dvcignore", "elsewhere"):
        remove(str(root / name))
    for path in Path(repo.cache.local.path).glob("*/*"):  # DVC remembers the folders
        path.unlink()
    repo.state.hashes.clear()
    repo._reset()
    repo.cache.local.cache_types[:] = kinds
    for number in range(12):
        (root / "many" / "deep").mkdir(parents=True, exist_ok=True)
        write(root / "many" / "deep" / f"{number:02}.txt", str(number))
    with way("plain"):
        repo.add(["many"])
    return Path(repo.cache.local.path)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files DVC was given to link, for each directory that was added the fast way."""
    found, original = list[int](), added_again._other_links

    def noted(*arguments: Any) -> Any:
        changes = list(original(*arguments))
        found.append(len(changes))
        return changes

    monkeypatch.setattr(added_again, "_other_links", noted)
    return found


@pytest.mark.parametrize("kinds", [["copy"], ["hardlink"], ["symlink"], ["reflink", "copy"]])
@pytest.mark.parametrize("change", [nothing, one_more, many_changes, lost_objects])
def test_as_dvc_leaves_it(
    change: Callable[[Path, Path], None],
    kinds: list[str],
    tmp_dir: Any,
    dvc: Any,
    looked: list[int],
) -> None:
    root, seen = Path(tmp_dir), dict[str, Any]()
    for name in WAYS:
        cache = begin(root, dvc, kinds)
        change(root, cache)
        dvc._reset()
        dvc.state.ignore = dvc.dvcignore
        with way(name):
            dvc.add(["many"])
        text = (root / "many.dvc").read_text(encoding="utf-8")
        seen[name] = (text, cache_files(dvc), state_of(root, dvc))
        assert dvc.status() == {}
        assert dvc.state.get_unused_links([], localfs) == ["many"]  # it is as it was noted
    assert seen["fast"][0] == seen["plain"][0]
    assert seen["fast"][1] == seen["plain"][1]
    assert seen["fast"][2] == seen["plain"][2]
    assert len(looked) == 1
    if change in {nothing, one_more} and kinds != ["symlink"]:
        assert looked[0] == (change is one_more and kinds == ["hardlink"])


@pytest.mark.parametrize("name", ["many", "many/deep/00.txt", "many/deep"])
def test_data_that_does_not_get_into_the_cache_is_not_recorded(
    name: str, tmp_dir: Any, dvc: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the disk of the cache is full. DVC only logs it, and exits with 0."""
    root = Path(tmp_dir)
    begin(root, dvc, ["copy"])
    (root / "many.dvc").unlink()
    for path in Path(dvc.cache.local.path).glob("*/*"):
        path.unlink()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with way("fast"), monkeypatch.context() as patch:
        patch.setattr(local, "copyfile", full)
        with pytest.raises(DvcException, match=r"could not be stored in .*Nothing was recorded"):
            dvc.add([name])
    assert not (root / f"{name}.dvc").exists()
    with way("fast"):
        dvc.add([name])
        assert dvc.status() == {}
