"""A directory that the work tree lacks comes as DVC brings it, by any kind of link."""

import os
from pathlib import Path
from typing import Any

import pytest
from dvc.exceptions import CheckoutError
from dvc.utils.fs import remove
from dvc_objects.fs.local import localfs

from dvc_bucket import Settings
from tests.patched.cloud import BucketFolder
from tests.patched.tools import add_data, forget, way

WAYS = ("fast", "plain")


def looks(root: Path, repo: Any) -> dict[str, Any]:
    """Bytes, mode and kind of each file, and the hash that DVC has noted."""
    found = {}
    for path in sorted(one for one in root.rglob("*") if not one.is_dir()):
        meta, noted = repo.state.get(str(path), localfs)
        state = path.stat()
        linked = (path.is_symlink(), state.st_nlink > 1)
        hashed = (noted.value if noted else None, meta.size if meta else None)
        found[str(path)] = (path.read_bytes(), oct(state.st_mode), linked, hashed)
    return found


@pytest.fixture
def lean(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the files that come without DVC's own functions."""
    from dvc_bucket.dvc.patched import bringing

    quickly, found = bringing._Bringing._quickly, list[str]()

    def noted(self: Any, source: str, target: str, *rest: str) -> bool:
        done = quickly(self, source, target, *rest)
        found.extend([target] * done)
        return done

    monkeypatch.setattr(bringing._Bringing, "_quickly", noted)
    return found


@pytest.mark.parametrize(
    ("kinds", "number"),
    [(["hardlink"], 30), (["copy"], 31), (["reflink", "copy"], 30), (["symlink"], 0)],
)
def test_as_dvc_brings_it(
    kinds: list[str], number: int, tmp_dir: Any, dvc: Any, lean: list[str]
) -> None:
    root = Path(tmp_dir)
    add_data(root, dvc)
    dvc.config["cache"]["type"] = kinds
    seen, said = {}, {}
    for name in WAYS:
        remove(str(root / "many"))
        dvc.state.hashes.clear()
        dvc.cache.local.cache_types[:] = kinds
        with way(name):
            said[name] = dvc.checkout()
            assert dvc.status() == {}
            assert dvc.checkout()["stats"] == {"modified": 0, "added": 0, "deleted": 0}
        seen[name] = looks(root / "many", dvc)
    assert said["fast"] == said["plain"]
    assert said["fast"]["stats"]["added"] == 31
    assert seen["fast"] == seen["plain"]
    assert len(seen["fast"]) == 31
    assert len(lean) == number


def test_a_part_of_a_directory_is_all_that_was_asked_for(tmp_dir: Any, dvc: Any) -> None:
    root = Path(tmp_dir)
    add_data(root, dvc)
    for name in WAYS:
        remove(str(root / "many"))
        with way(name):
            dvc.checkout(["many/name with é.txt"])
        assert [one.name for one in (root / "many").iterdir()] == ["name with é.txt"]


def test_other_data_is_not_brought(tmp_dir: Any, dvc: Any) -> None:
    root = Path(tmp_dir)
    add_data(root, dvc)
    for name in WAYS:
        for path in ("many", "big.bin"):
            remove(str(root / path))
        with way(name):
            dvc.checkout(["many"])
        assert (root / "many" / "name with é.txt").exists()
        assert not (root / "big.bin").exists()


def test_a_directory_may_be_empty(tmp_dir: Any, dvc: Any) -> None:
    folder = Path(tmp_dir) / "empty"
    folder.mkdir()
    dvc.add("empty")
    for name in WAYS:
        remove(str(folder))
        with way(name):
            dvc.checkout()
            assert dvc.status() == {}
        assert [*folder.iterdir()] == []


def test_so_is_a_file_of_any_name(tmp_dir: Any, dvc: Any, seaweed: Settings) -> None:
    root, folder = Path(tmp_dir), BucketFolder.new(seaweed)
    with dvc.config.edit() as config:
        config["remote"]["upstream"] = folder.config
        config["core"]["remote"] = "upstream"
    for name in ("file", "other"):
        (root / "many").mkdir(exist_ok=True)
        (root / "many" / name).write_text(name)
    dvc.add("many")
    moved = {}
    for name in WAYS:
        with way(name):
            dvc.push()
            forget(dvc, "many")
            moved[name] = dvc.fetch(["many/file"])
            dvc.checkout(["many/file"])
            assert [one.name for one in (root / "many").iterdir()] == ["file"]
            dvc.pull()
    assert moved == {"fast": 2, "plain": 2}  # with the list


def test_after_a_part_of_a_directory_the_rest_can_be_pushed(
    tmp_dir: Any, dvc: Any, seaweed: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    add_data(Path(tmp_dir), dvc)
    with dvc.config.edit() as config:
        config["remote"]["upstream"] = BucketFolder.new(seaweed).config
        config["core"]["remote"] = "upstream"
    with way("fast"):
        assert dvc.push(["many/deep"]) == 30
        assert "Only a part of a directory is pushed" in caplog.text
        assert dvc.push() == 3
        assert dvc.push(["many/deep"]) == 0
        forget(dvc, "many", "big.bin")
        assert dvc.pull()["stats"]["fetched"] == 33


def test_without_an_object_nothing_of_the_directory_stays(tmp_dir: Any, dvc: Any) -> None:
    root = Path(tmp_dir)
    add_data(root, dvc)
    lost = dvc.state.get(str(root / "many" / "deep" / "007.bin"), localfs)[1]
    Path(dvc.cache.local.oid_to_path(lost.value)).unlink()
    for name in WAYS:
        remove(str(root / "many"))
        with way(name), pytest.raises(CheckoutError) as failure:
            dvc.checkout()
        assert failure.value.target_infos == ["many"]
        assert not (root / "many").exists()


def test_an_interrupt_leaves_nothing_half_written(
    tmp_dir: Any, dvc: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(tmp_dir)
    add_data(root, dvc)
    remove(str(root / "many"))
    dvc.cache.local.cache_types[:] = ["copy"]
    with way("fast"), monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            dvc.checkout()
    left = [one for one in (root / "many").rglob("*") if one.is_file()]
    assert all(one.stat().st_size == 0 for one in left)
    assert not [one for one in left if one.suffix == ".tmp"]
    with way("fast"):
        dvc.checkout(force=True)
        assert dvc.status() == {}
