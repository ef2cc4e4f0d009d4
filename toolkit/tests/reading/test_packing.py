"""Small files to shards and back: the same bytes, whatever the folder, the order or the clock."""

import hashlib
import os
import shutil
import tarfile
from itertools import islice
from pathlib import Path

import pytest

from dvc_bucket import Project, iter_samples, pack
from dvc_bucket.base.errors import OutputError
from dvc_bucket.errors import PackError
from dvc_bucket.read.packing import MIN_SHARD_BYTES
from tests.reading.test_words import bucket, files
from tests.verify.published import Published

#: Files of several kinds, in several folders; names that no locale sorts alike.
NAMES = [f"class-{number % 3}/{number:04}.png" for number in range(300)]
NAMES += ["Z.txt", "a.txt", "\u00e4.txt", "empty"]


def content(name: str) -> bytes:
    return b"" if name == "empty" else hashlib.sha256(name.encode()).digest() * 400


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Many small files in a project, which is the current folder."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    monkeypatch.chdir(tmp_path)
    return fill(tmp_path / "images", NAMES)


def fill(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content(name))
    return folder


@pytest.mark.parametrize("form", ["parquet", "tar"])
def test_what_goes_in_comes_out(folder: Path, form: str) -> None:
    done = pack(folder, folder.parent / "shards", form=form, shard_bytes=MIN_SHARD_BYTES)
    assert (done.files, done.shards) == (len(NAMES), 4)
    assert done.size == sum(path.stat().st_size for path in done.folder.iterdir())
    samples = list(iter_samples("shards"))
    assert [sample.name for sample in samples] == sorted(NAMES, key=str.encode)
    assert {sample.name: sample.data for sample in samples} == files(folder)


@pytest.mark.parametrize("form", ["parquet", "tar"])
def test_the_same_files_make_the_same_bytes(folder: Path, form: str) -> None:
    pack(folder, folder.parent / "one", form=form, shard_bytes=MIN_SHARD_BYTES)
    other = fill(folder.parent / "elsewhere", NAMES[::-1])
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    pack(other, folder.parent / "two", form=form, shard_bytes=MIN_SHARD_BYTES)
    assert files(folder.parent / "one") == files(folder.parent / "two")


@pytest.mark.parametrize("form", ["parquet", "tar"])
def test_a_seed_is_an_order_across_shards(folder: Path, form: str) -> None:
    pack(folder, folder.parent / "shards", form=form, shard_bytes=MIN_SHARD_BYTES)
    first, again = (
        [sample.name for sample in iter_samples("shards", shuffle=seed)] for seed in (1, 1)
    )
    other = [sample.name for sample in iter_samples("shards", shuffle=2)]
    assert first == again != other
    assert sorted(first) == sorted(other) == sorted(NAMES)
    assert first != sorted(NAMES, key=str.encode)


def test_metadata_goes_with_the_sample(folder: Path) -> None:
    rows = "".join(f"{name},{number}\n" for number, name in enumerate(NAMES))
    (folder.parent / "labels.csv").write_text(f"name,label\n{rows}", encoding="utf-8")
    pack(folder, folder.parent / "shards", metadata=folder.parent / "labels.csv")
    for sample in iter_samples("shards", shuffle=0):
        assert sample.metadata == {"label": NAMES.index(sample.name)}


def test_tar_is_tar(folder: Path) -> None:
    pack(folder, folder.parent / "shards", form="tar")
    with tarfile.open(folder.parent / "shards" / "shard-00000.tar") as archive:
        assert len(archive.getnames()) == len(NAMES)
        assert {(one.mtime, one.uid, one.uname, one.mode) for one in archive} == {(0, 0, "", 0o644)}


def test_what_cannot_be_packed_is_named_and_nothing_is_left(folder: Path) -> None:
    root = folder.parent
    (root / "labels.csv").write_text("name,label\nZ.txt,1\n")
    (root / "empty folder").mkdir()
    there = {path.name for path in root.iterdir()}
    for given, options, said in (
        (root / "empty folder", {}, "has no files"),
        (root / "nowhere", {}, "is not a folder"),
        (folder, {"metadata": root / "labels.csv"}, r"has no row for a\.txt and 302 more"),
        (folder, {"form": "zip"}, "Unknown shard format zip; use parquet or tar"),
        (folder, {"shard_bytes": 10}, "A shard of 10 bytes is not between"),
    ):
        with pytest.raises(PackError, match=said):
            pack(given, root / "out", **options)
        assert {path.name for path in root.iterdir()} == there
    (root / "out").mkdir()
    (root / "out" / "mine").touch()
    with pytest.raises(OutputError, match="this command did not write mine in it"):
        pack(folder, root / "out")
    assert [path.name for path in (root / "out").iterdir()] == ["mine"]


def test_shards_are_streamed_from_the_remote(
    on_swift: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(on_swift.root)
    fill(on_swift.root / "images", NAMES)
    packed = bucket(on_swift, "pack", "images", "shards", "--size", "1")
    assert packed.stdout.decode() == "shards\n", packed.stderr
    on_swift.dvc("add", "shards")
    on_swift.commit("Shards")
    on_swift.dvc("push")
    here = iter_samples("shards", shuffle=3, split=(1, 2))
    first = list(islice(here, 100))
    state, rest = here.state(), list(here)
    assert len(first) == 100
    shutil.rmtree(on_swift.root / "shards")
    shutil.rmtree(on_swift.root / ".dvc" / "cache")
    assert list(iter_samples("shards", shuffle=3, split=(1, 2), resume=state)) == rest
    samples = {sample.name: sample.data for sample in iter_samples("shards", shuffle=3)}
    assert samples == files(on_swift.root / "images")
    assert not (Project.find().root / "shards").exists()
