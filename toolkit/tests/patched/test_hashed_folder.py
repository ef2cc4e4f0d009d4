"""A directory has the hash, the entries and the notes that DVC finds, whatever happened to it."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from dvc.ignore import DvcIgnoreFilter
from dvc_data.hashfile import build as building
from dvc_data.hashfile.db.local import LocalHashFileDB
from dvc_data.hashfile.state import State
from dvc_objects.fs.local import localfs
from fsspec.callbacks import Callback
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dvc_bucket.dvc.patched import added_again, hashed_folder

BUILDS: dict[str, Callable[..., Any]] = {
    "fast": added_again.build(building.build),
    "plain": building.build,
}

#: Names whose order differs by the parts of a path, its text and its bytes; one is ignored.
NAMES = ("a", "a-b", "a.tmp", "B", 'q"\\', "é", "\ue000", "\U0001f600", "n\nl", "x", "x/a", "x-/b")

#: A name that is not UTF-8, and one of a file in which DVC looks for what to ignore.
REFUSED = (os.fsdecode(b"\xff"), ".dvcignore")


class Step(NamedTuple):
    """Something that happens to a file."""

    word: str
    name: str
    other: str = NAMES[0]


def write(path: Path, text: str, time: int | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if time is not None:
        os.utime(path, ns=(time, time))


def change(root: Path, step: Step) -> None:
    """Have it happen, where it can."""
    path, other = root / step.name, root / step.other
    is_file = path.is_file() and not path.is_symlink()
    try:
        match step.word:
            case "write":
                write(path, step.other)
            case "replace" if is_file:  # the same size and time, another inode
                old = path.stat()
                write(root / "new", "z" * old.st_size, old.st_mtime_ns)
                (root / "new").rename(path)
            case "edit in place" if is_file:  # what no inode, time or size tells
                old = path.stat()
                write(path, "y" * old.st_size, old.st_mtime_ns)
            case "touch" if is_file:
                os.utime(path, ns=(1, -1_500_000_001))
            case "move" if is_file:
                path.rename(other)
            case "remove":
                path.unlink()
            case "link":
                path.symlink_to(step.other)
            case "link twice" if is_file:
                other.hardlink_to(path)
            case "run" if is_file:
                path.chmod(0o755)
            case "folder":
                path.mkdir(parents=True)
    except OSError:  # there is no such file, or there is one
        return


class Side:
    """One of the two ways, with a database of its own."""

    def __init__(self, name: str, folder: Path, root: Path) -> None:
        self.build, self.notes = BUILDS[name], folder / name
        self.root = root
        self.state = State(str(folder), str(self.notes))
        self.odb = LocalHashFileDB(localfs, str(folder / "cache"), state=self.state)

    def look(self) -> dict[str, Any]:
        """All that it finds, in words that can be compared."""
        ignore, hashed = DvcIgnoreFilter(localfs, str(self.root.parent)), list[str]()
        callback = Callback()
        try:
            with counted(hashed):
                staging, meta, tree = self.build(
                    self.odb, str(self.root), localfs, "md5", ignore=ignore, callback=callback
                )
        except (OSError, ValueError, building.IgnoreInCollectedDirError) as error:
            return {"error": (type(error), str(error)), "hashed": hashed, "notes": self.noted()}
        with staging.fs.open(tree.path, "rb") as file:
            text = file.read()
        files: dict[str, set[str]] = {}
        for key, _, oid in tree:
            files.setdefault(oid.value, set()).add("/".join((str(self.root), *key)))
        return {
            "hash": (tree.hash_info, tree.oid, meta, len(tree), text),
            "entries": {key: (*shown(one), oid) for key, one, oid in tree},
            "objects": [oid for oid, paths in files.items() if staging.get(oid).path not in paths],
            "list": staging.get(tree.oid).path.rpartition("/")[0],
            "progress": (callback.size, callback.value),
            "hashed": sorted(hashed),
            "notes": self.noted(),
        }

    def noted(self) -> dict[str, str]:
        with sqlite3.connect(self.notes / "hashes" / "local" / "cache.db") as database:
            return dict(database.execute("SELECT key, value FROM Cache"))


def shown(meta: Any) -> tuple[Any, ...]:
    """An entry with what DVC leaves out of comparisons."""
    return meta, meta.is_link, meta.destination, meta.nlink


@contextmanager
def counted(hashed: list[str]) -> Iterator[None]:
    """Notes the files that are read."""
    original: Any = vars(building)["hash_file"]

    def hash_file(path: str, *arguments: Any, **named: Any) -> Any:
        hashed.append(path)
        return original(path, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "hash_file", hash_file)
        yield


def compare(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "data"
        write(root / "x.txt", "1")
        write(root.parent / ".dvcignore", "*.tmp\nx/a\n")
        sides = {name: Side(name, root.parent, root) for name in BUILDS}
        for step in (Step("", ""), *steps):
            change(root, step)
            found = {name: side.look() for name, side in sides.items()}
            assert found["fast"] == found["plain"], step
            again = sides["fast"].look()
            assert again["hashed"] == ([] if "hash" in again else again["hashed"])
        for side in sides.values():
            side.state.close()


WORDS = (
    *("write", "write", "replace", "edit in place", "touch", "move", "remove", "link"),
    *("link twice", "run", "folder"),
)


@settings(max_examples=12, deadline=None)
@example(
    [
        Step("write", "a"),
        Step("write", "x/a"),
        Step("replace", "a"),
        Step("edit in place", "a"),
        Step("touch", "a"),
        Step("link", "B", "a"),
        Step("run", "a"),
        Step("link twice", "a", "é"),
        Step("move", "a", "a-b"),
        Step("remove", "B"),
        Step("folder", "x-/b"),
    ]
)
@example([Step("remove", "x.txt"), Step("folder", "a"), Step("write", "a.tmp")])
@example([Step("write", REFUSED[0]), Step("remove", REFUSED[0]), Step("write", REFUSED[1])])
@given(
    st.lists(
        st.builds(Step, st.sampled_from(WORDS), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        min_size=1,
        max_size=8,
    )
)
def test_as_dvc_finds_it(steps: list[Step]) -> None:
    compare(steps)


def test_of_unchanged_files_dvc_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it look at one twice, whatever else is noted."""
    root = tmp_path / "data"
    for number in range(30):
        write(root / f"{number}", f"{number}")
    side, looked = Side("fast", tmp_path, root), list[str]()
    side.look()
    for number in (0, 10, 11, 29):
        (root / f"{number}").unlink()
    info = vars(hashed_folder)["_localfs_info"]

    def noted(path: str) -> Any:
        looked.append(path)
        return info(path)

    monkeypatch.setattr(hashed_folder, "_localfs_info", noted)
    monkeypatch.setattr(hashed_folder.Folder, "entry", None)
    write(root / "new", "new")
    folder = side.build(side.odb, str(root), localfs, "md5", callback=Callback())[2]
    assert (len(folder), looked) == (27, [f"{root}/new"])


@pytest.mark.parametrize(
    "note", ["no JSON", '{"version": 2, "checksum": "1", "hash_info": {"md5": "ab"}}']
)
def test_another_note_is_no_hash(note: str, tmp_path: Path) -> None:
    write(tmp_path / "data" / "file", "text")
    sides = [Side(name, tmp_path, tmp_path / "data") for name in BUILDS]
    found = []
    for side in sides:
        side.look()
        side.state.hashes[str(tmp_path / "data" / "file")] = note
        found.append(side.look())
    assert found[0] == found[1]
    assert len(found[0]["hashed"]) == 1
