"""A cache and a remote are the same, bit for bit, whoever filled them."""

from pathlib import Path
from typing import Any

import pytest

from dvc_bucket import Settings
from dvc_bucket.dvc.patched import gathered
from tests.patched.cloud import BucketFolder
from tests.patched.tools import add_data, cache_files, forget, remote_objects, way


@pytest.fixture
def two_remotes(tmp_dir: Any, settings: Settings) -> dict[str, BucketFolder]:
    """A remote for each way, by its name."""
    remotes = {name: BucketFolder.new(settings) for name in ("fast", "plain")}
    for name, folder in remotes.items():
        tmp_dir.add_remote(name=name, config=folder.config)
    return remotes


def test_remote_and_cache_do_not_tell_who_filled_them(
    tmp_dir: Any, dvc: Any, two_remotes: dict[str, BucketFolder]
) -> None:
    add_data(Path(tmp_dir), dvc)
    (tmp_dir / "many2").mkdir()
    (tmp_dir / "many2" / "one.bin").write_bytes(b"one")
    dvc.add("many2")
    for name in two_remotes:
        with way(name):
            # 30 + 1 files, the list, the big file; the second directory has two.
            assert dvc.push(remote=name) == 33 + 2
            assert dvc.push(remote=name) == 0
    sent = {name: remote_objects(folder) for name, folder in two_remotes.items()}
    assert sent["fast"] == sent["plain"]
    assert all(md5 == "".join(key.split("/")[2:])[:32] for key, md5 in sent["fast"].items())

    caches, data = {}, {}
    for name, other in (("fast", "plain"), ("plain", "fast")):
        forget(dvc, "many", "many2", "big.bin")
        with way(name):
            stats = dvc.pull(remote=other)["stats"]
            assert stats["fetched"] == 35
            assert dvc.pull(remote=other)["stats"]["fetched"] == 0
        caches[name] = cache_files(dvc)
        files = (path for path in Path(tmp_dir).glob("many*/**/*") if path.is_file())
        data[name] = {path.name: path.read_bytes() for path in files}
    assert caches["fast"] == caches["plain"]
    assert data["fast"] == data["plain"]
    assert len(data["fast"]) == 32


@pytest.mark.usefixtures("fast", "settings")
def test_a_run_is_remembered_in_the_remote(
    tmp_dir: Any, dvc: Any, remote: BucketFolder, run_copy: Any
) -> None:
    tmp_dir.gen("source", "content")
    dvc.add("source")
    run_copy("source", "copy", name="copy")
    dvc.push(run_cache=True)
    runs = [key for key in remote_objects(remote) if key.startswith("runs/")]
    assert len(runs) == 1
    before = {path.name for path in Path(dvc.stage_cache.cache_dir).rglob("*")}
    from dvc.utils.fs import remove

    remove(dvc.stage_cache.cache_dir)
    forget(dvc, "copy")
    dvc.pull(run_cache=True)
    assert {path.name for path in Path(dvc.stage_cache.cache_dir).rglob("*")} == before
    assert (tmp_dir / "copy").read_text() == "content"


@pytest.mark.usefixtures("fast", "settings")
def test_an_interrupted_command_leaves_no_part_of_a_list(
    tmp_dir: Any, dvc: Any, remote: BucketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC would take it for the whole, send that, and say that everything is up to date."""
    from dvc_data.index import DataIndex

    add_data(Path(tmp_dir), dvc)
    original: Any = DataIndex.__setitem__
    added: list[Any] = []

    def interrupted(index: Any, key: Any, value: Any) -> None:
        original(index, key, value)
        added.append(key)
        if len(added) == 10:
            index.commit()
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gathered, "_gathered", lambda *_, **__: None)  # as for data of other kinds
        patch.setattr(DataIndex, "__setitem__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dvc.push()
    assert len(added) == 10
    assert dvc.push() == 33
    assert len(remote_objects(remote)) == 33
