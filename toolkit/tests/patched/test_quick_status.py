"""`status` says of directories, and of their files in cache and remote, what DVC says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dvc.exceptions import DvcException

from dvc_bucket import Settings
from dvc_bucket.dvc.patched import quick_status
from tests.patched.cloud import BucketFolder
from tests.patched.tools import add_data, cache_files, object_of, way

WAYS = ("fast", "plain")


def object_path(repo: Any, text: bytes) -> Path:
    """Where the cache has a content."""
    files = (path for path in Path(repo.cache.local.path).rglob("*") if path.is_file())
    return next(path for path in files if path.read_bytes() == text)


def list_path(repo: Any) -> Path:
    return next(Path(repo.cache.local.path).rglob("*.dir"))


def nothing(_repo: Any) -> None:
    """As it was."""


def lost_file(repo: Any) -> None:
    object_path(repo, b"3").unlink()


def open_file(repo: Any) -> None:
    object_path(repo, b"3").chmod(0o644)


def wrong_file(repo: Any) -> None:
    path = object_path(repo, b"3")
    path.unlink()
    path.write_bytes(b"other")


def lost_list(repo: Any) -> None:
    list_path(repo).unlink()


def wrong_list(repo: Any) -> None:
    replaced(list_path(repo), b"no JSON")


def other_list(repo: Any) -> None:
    """Another list under its name."""
    path = list_path(repo)
    replaced(path, path.read_bytes().replace(b"3.txt", b"4.txt"))


def replaced(path: Path, text: bytes) -> None:
    path.unlink()
    path.write_bytes(text)


def another_file(repo: Any) -> None:
    (Path(repo.root_dir) / "many" / "more").write_bytes(b"more")


def no_data(repo: Any) -> None:
    from dvc.utils.fs import remove

    remove(str(Path(repo.root_dir) / "many"))


@pytest.mark.parametrize(
    "damage",
    [
        *(nothing, lost_file, open_file, wrong_file, lost_list, wrong_list, other_list),
        *(another_file, no_data),
    ],
)
def test_the_cache_lacks_what_dvc_says(
    damage: Callable[[Any], None], tmp_dir: Any, dvc: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, root = {}, Path(tmp_dir)
    for name in WAYS:
        for path in Path(dvc.cache.local.path).glob("*/*"):
            path.unlink()
        for number in range(5):
            (root / "many").mkdir(exist_ok=True)
            (root / "many" / f"{number}.txt").unlink(missing_ok=True)
            (root / "many" / f"{number}.txt").write_text(f"{number}")
        (root / "many" / "more").unlink(missing_ok=True)
        dvc.cache.local.cache_types[:] = ["copy"]
        dvc.add("many")
        damage(dvc)
        dvc._reset()
        with way(name), monkeypatch.context() as patch:
            if name == "fast" and damage is not wrong_list:
                patch.setattr("dvc.output.oload", None)
            said = dvc.status()
        found[name] = (said, cache_files(dvc))
    assert found["fast"] == found["plain"]
    assert bool(found["fast"][0]) == (damage not in {nothing, open_file})


def test_a_list_with_an_unsafe_name_is_refused(tmp_dir: Any, dvc: Any) -> None:
    tmp_dir.gen({"many": {"3.txt": "3"}})
    dvc.add("many")
    path = list_path(dvc)
    replaced(path, path.read_bytes().replace(b"3.txt", b"../x"))
    dvc._reset()
    with way("fast"), pytest.raises(DvcException, match="not allowed"):
        dvc.status()


@pytest.fixture
def upstream(tmp_dir: Any, dvc: Any, seaweed: Settings) -> BucketFolder:
    """The default remote, and two outputs with a file of the same content."""
    folder = BucketFolder.new(seaweed)
    with dvc.config.edit() as config:
        config["remote"]["upstream"] = folder.config
        config["core"]["remote"] = "upstream"
    root = Path(tmp_dir)
    add_data(root, dvc)
    (root / "many2").mkdir()
    (root / "many2" / "copy.bin").write_bytes((root / "many" / "deep" / "003.bin").read_bytes())
    dvc.add("many2")
    return folder


def test_cache_and_remote_are_compared_as_dvc_compares_them(
    dvc: Any, upstream: BucketFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(dvc.root_dir)
    quickly, answers = quick_status._compared, list[Any]()

    def noted(*arguments: Any) -> Any:
        answers.append(quickly(*arguments))
        return answers[-1]

    monkeypatch.setattr(quick_status, "_compared", noted)

    def said(**named: Any) -> dict[str, str]:
        found = dict[str, dict[str, str]]()
        for name in WAYS:
            with way(name):
                found[name] = dvc.status(cloud=True, **named)
        assert found["fast"] == found["plain"]
        return found["fast"]

    assert len(said()) == 33 + 1
    assert {*said().values()} == {"new"}
    with way("fast"):
        dvc.push()
    assert said() == {}
    (root / "many" / "more").write_bytes(b"more")
    with way("fast"):
        dvc.add("many")
    assert said() == {"many": "new", str(Path("many", "more")): "new"}
    assert said(targets=["many2"]) == {}
    shared = Path(dvc.cache.local.oid_to_path(oid_of(dvc, root / "many" / "deep" / "003.bin")))
    shared.unlink()
    assert list(said().values()).count("deleted") == 1
    lost = oid_of(dvc, root / "big.bin")
    Path(dvc.cache.local.oid_to_path(lost)).unlink()
    object_of(upstream, lost).unlink()
    assert said()["big.bin"] == "missing"
    assert None not in answers
    for a_list in Path(dvc.cache.local.path).rglob("*.dir"):  # one of them is of no output
        a_list.unlink()
    said()
    assert answers[-1] is None


def oid_of(repo: Any, path: Path) -> str:
    from dvc_objects.fs.local import localfs

    return str(repo.state.get(str(path), localfs)[1].value)
