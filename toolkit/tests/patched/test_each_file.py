"""What is computed for each file of a directory is what DVC computes."""

import os
from pathlib import Path
from typing import Any

import pytest
from dvc.ignore import DvcIgnorePatterns
from dvc_data.fsutils import _localfs_info
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.meta import Meta
from dvc_data.hashfile.state import State
from dvc_data.hashfile.tree import Tree
from dvc_objects.fs.local import localfs

from dvc_bucket.dvc.patched import each_file

PATTERNS: tuple[list[str], ...] = (
    [],
    ["*.tmp", "!keep.tmp", ".git", ".dvc/"],
    ["a/", "!a/b.txt"],
    ["/a/b*", "!/a/bc"],
    ["a/**/d", "!d", "d"],
    ["*", "!*.txt", "é?"],
    ["a\n", "[ab].txt", "b.txt/"],
)
NAMES = ["a", "b.txt", "bc", "d", "x.tmp", "keep.tmp", ".git", "é1", "a\n", "[ab].txt"]


@pytest.mark.parametrize("lines", PATTERNS)
@pytest.mark.parametrize("folder", ["/p", "/p/a", "/p/a/c", "/p/a/c/d", "/p/b.txt", "/q", "/pa"])
def test_the_same_names_are_ignored(lines: list[str], folder: str) -> None:
    patterns = DvcIgnorePatterns(lines, "/p", "/")
    original = DvcIgnorePatterns.__call__
    ours = each_file.wanted(original)(patterns, folder, [*NAMES], [*NAMES])
    assert ours == original(patterns, folder, [*NAMES], [*NAMES])


def test_a_note_is_read_as_dvc_reads_it(tmp_path: Path) -> None:
    state = State(str(tmp_path), str(tmp_path / "state"))
    files = [tmp_path / name for name in ("plain", "run", "hard", "link", "old", "1e-5")]
    for path in files:
        path.write_text(path.name, encoding="utf-8")
    (tmp_path / "run").chmod(0o755)
    (tmp_path / "hard2").hardlink_to(tmp_path / "hard")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("plain")
    os.utime(tmp_path / "old", ns=(1, -1_500_000_001))
    os.utime(tmp_path / "1e-5", ns=(1, 10_000))
    ours = each_file.noted(State._get)
    for path in files:
        info = _localfs_info(str(path))
        state.save(str(path), localfs, HashInfo("md5", "ab"))
        raw = str(state.hashes.get(str(path)))
        other = raw.replace('"version":1', '"version":2').replace('"version": 1', '"version": 2')
        old = raw.replace('"version":1,', "").replace('"version": 1, ', "")
        assert len({raw, other, old}) == 3
        for text in (raw, other, old, "no JSON"):
            changes: tuple[dict[str, Any], ...] = (
                {},
                {"mtime": info["mtime"] + 1},
                {"size": 9},
                {"ino": 1},
                {"md5": "x"},
            )
            for change in changes:
                now = info | change
                expected = State._get(state, str(path), text, now)
                found = ours(state, str(path), text, now)
                assert found == expected
                if found and expected:
                    (meta, _), (theirs, _) = found, expected
                    assert (meta.is_link, meta.nlink) == (theirs.is_link, theirs.nlink)
                    assert meta.destination == theirs.destination
        assert ours(state, str(path), raw, info)
    state.close()


@pytest.mark.parametrize("hash_name", ["md5", "md5-dos2unix", "etag"])
def test_a_list_has_the_same_bytes(hash_name: str) -> None:
    tree, ours = Tree(), each_file.as_bytes(Tree.as_bytes)
    assert ours(tree) == tree.as_bytes()
    for number, name in enumerate(['q"uo\\te', "é", "a-b", "a/b", "\U0001f600\n\x7f", "a"]):
        key = tuple(name.split("/"))
        tree.add(key, Meta(size=number), HashInfo(hash_name, f"{number:032x}"))
        assert ours(tree) == tree.as_bytes()
    assert ours(tree, with_meta=True) == tree.as_bytes(with_meta=True)
    tree.add(("none",), Meta(), None)
    assert ours(tree) == tree.as_bytes()
