"""A check-out removes nothing from the work tree that the cache does not have."""

import logging
from pathlib import Path
from typing import Any

import pytest
from dvc.exceptions import CheckoutError, DvcException
from dvc_objects.fs.local import localfs

from tests.patched.tools import add_data, way


def object_of(repo: Any, path: Path) -> Path:
    return Path(repo.cache.local.oid_to_path(repo.state.get(str(path), localfs)[1].value))


def test_where_a_file_cannot_be_brought_the_others_stay(tmp_dir: Any, dvc: Any) -> None:
    """Those that the cache lost, too, and those that DVC does not track."""
    root = Path(tmp_dir)
    (root / ".dvcignore").write_text("notes.txt\n")
    add_data(root, dvc)
    folder = root / "many" / "deep"
    (folder / "notes.txt").write_text("mine")
    for name in ("007.bin", "008.bin"):
        object_of(dvc, folder / name).unlink()
    content = (folder / "007.bin").read_bytes()
    (folder / "008.bin").unlink()
    with way("fast"), pytest.raises(CheckoutError) as failure:
        dvc.checkout()
    assert failure.value.target_infos == ["many"]
    assert (folder / "007.bin").read_bytes() == content
    assert (folder / "notes.txt").read_text() == "mine"
    assert len(list(folder.iterdir())) == 30


@pytest.mark.parametrize("name", ["many", "big.bin"])
def test_what_nothing_tracks_any_more_is_removed_only_if_the_cache_has_it(
    name: str, tmp_dir: Any, dvc: Any, caplog: pytest.LogCaptureFixture
) -> None:
    root = Path(tmp_dir)
    add_data(root, dvc)
    (root / f"{name}.dvc").unlink()
    lost = object_of(dvc, root / "many" / "deep" / "007.bin" if name == "many" else root / name)
    content = lost.read_bytes()
    lost.unlink()
    with way("fast"), caplog.at_level(logging.WARNING, "dvc"):
        dvc._reset()
        assert dvc.checkout()["deleted"] == []
        assert f"{name} is kept: nothing tracks it now" in caplog.text
        assert (root / name).exists()
        lost.write_bytes(content)
        assert dvc.checkout()["deleted"] == [f"{name}/" if name == "many" else name]
    assert not (root / name).exists()


def test_what_dvc_2_has_hashed_counts_as_cached(tmp_dir: Any, dvc: Any) -> None:
    root = Path(tmp_dir)
    (root / "old.txt").write_text("text\r\n")
    legacy = dvc.cache.legacy
    from dvc_data.hashfile.hash import hash_file

    oid = hash_file(str(root / "old.txt"), localfs, "md5-dos2unix")[1].value
    path = Path(legacy.oid_to_path(oid))
    path.parent.mkdir(parents=True)
    path.write_text("text\r\n")
    dvc.state.save_link(str(root / "old.txt"), localfs)
    with way("fast"):
        assert dvc.checkout()["deleted"] == ["old.txt"]


@pytest.mark.parametrize("name", ["many", "big.bin"])
def test_what_a_person_stops_tracking_stays(name: str, tmp_dir: Any, dvc: Any) -> None:
    add_data(Path(tmp_dir), dvc)
    with way("fast"):
        dvc.remove(f"{name}.dvc")
        dvc._reset()
        assert dvc.checkout()["deleted"] == []
    assert (Path(tmp_dir) / name).exists()


def test_an_update_does_not_replace_what_was_changed_here(tmp_dir: Any, dvc: Any) -> None:
    root = Path(tmp_dir)
    (root / "source.txt").write_text("old")
    dvc.imp_url("source.txt", "imported.txt")
    (root / "source.txt").write_text("new")
    (root / "imported.txt").unlink()  # it can be a link
    (root / "imported.txt").write_text("mine")
    with way("fast"):
        with pytest.raises(DvcException, match=r"imported\.txt was changed here"):
            dvc.update("imported.txt.dvc")
        assert (root / "imported.txt").read_text() == "mine"
        dvc.checkout("imported.txt", force=True)
        dvc.update("imported.txt.dvc")
    assert (root / "imported.txt").read_text() == "new"
