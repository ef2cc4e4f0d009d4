"""A list of a directory is read as DVC reads it, and noted as DVC notes it."""

import json
import tracemalloc
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from dvc_data.hashfile.db.index import ObjectDBIndex, ObjectDBIndexNoop
from dvc_data.hashfile.db.local import LocalHashFileDB
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.tree import Tree
from dvc_objects.fs.local import localfs
from hypothesis import given, settings
from hypothesis import strategies as st

from dvc_bucket.base import safe_paths
from dvc_bucket.dvc.patched import file_lists, gathered, in_cache, remote_index

PARTS = st.text(min_size=1, max_size=4).filter(lambda name: not safe_paths.fault(name))
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
MD5S = st.integers(0, 2**128 - 1).map("{:032x}".format)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(NAMES, MD5S, max_size=5))
def test_it_has_the_files_that_dvc_reads(content: dict[str, str]) -> None:
    tree = Tree()
    for name, md5 in content.items():
        tree.add(tuple(name.split("/")), None, HashInfo("md5", md5))
    text = tree.as_bytes().decode()
    assert list(file_lists.files(text)) == sorted(content.items())
    assert list(file_lists.hashes(text)) == [content[name] for name in sorted(content)]
    folders = {"/".join(parts[:end]) for parts in tree._dict for end in range(1, len(parts))}
    if folders.isdisjoint(content):
        assert file_lists.number(text) == len(content)


MD5 = "0" * 32


@pytest.mark.parametrize(
    "entries",
    [
        {},
        [{"md5": MD5}],
        [{"md5": "../../../x", "relpath": "a"}],
        [{"md5": MD5, "relpath": 1}],
        [{"md5": MD5, "relpath": "a", "size": 1}],
        [{"md5": MD5, "relpath": "a"}, {"md5": MD5, "relpath": "../b"}],
        [{"md5": MD5, "relpath": "a"}, {"md5": MD5, "relpath": ".git/config"}],
        [{"md5": MD5, "relpath": "a"}, 1],
    ],
)
def test_any_other_form_is_left_to_dvc(entries: Any) -> None:
    with pytest.raises(file_lists.OtherFormError):
        list(file_lists.files(json.dumps(entries)))


@pytest.mark.parametrize(
    "names",
    [["a", "a"], ["a", "a/b"], ["a", "a-", "a/b"], ["a/b", "a"], ["b", "a"], ["\ud800"]],
)
def test_files_that_cannot_be_side_by_side_are_left_to_dvc(names: list[str]) -> None:
    with pytest.raises(file_lists.OtherFormError):
        file_lists.number(json.dumps([{"md5": MD5, "relpath": name} for name in names]))


@pytest.mark.parametrize("name", ["\\q", "\\u12", "a\nb"])
def test_so_is_a_name_that_is_no_json(name: str) -> None:
    with pytest.raises(file_lists.OtherFormError):
        list(file_lists.files(f'[{{"md5": "{MD5}", "relpath": "{name}"}}]'))


@pytest.mark.parametrize("text", ["", "[", "x", '[{"md5": "'])
def test_so_is_a_broken_one(text: str) -> None:
    with pytest.raises(file_lists.OtherFormError):
        list(file_lists.hashes(text))


def rows(index: ObjectDBIndex) -> list[Any]:
    columns = "key, raw, expire_time, access_count, tag, size, mode, filename, value"
    return sorted(index._cache._sql(f"SELECT {columns} FROM Cache").fetchall())


def test_a_remotes_objects_are_noted_as_dvc_notes_them(tmp_path: Path) -> None:
    files = [f"{number:032x}" for number in range(1200)]
    theirs = ObjectDBIndex(str(tmp_path / "theirs"), "remote")
    ours = ObjectDBIndex(str(tmp_path / "ours"), "remote")
    theirs.update(["a.dir"], files)
    for _ in range(2):
        remote_index.note(ours, "a.dir", iter(files))
    assert rows(ours) == rows(theirs)
    assert len(ours._cache) == len(theirs._cache) == 1201
    assert remote_index.lists(ours) == {*theirs.dir_hashes()} == {"a.dir"}
    asked = {*files[:1100], "f" * 32}
    assert {*remote_index.known(ours, asked)} == {*theirs.intersection(asked)} == {*files[:1100]}
    ours.close()
    theirs.close()


def test_an_index_that_keeps_nothing_knows_nothing() -> None:
    index = ObjectDBIndexNoop("", "")
    remote_index.note(index, "a.dir", [MD5])
    assert remote_index.lists(index) == set()
    assert list(remote_index.known(index, {MD5})) == []


def test_a_million_objects_take_less_than_half_a_gigabyte(tmp_path: Path) -> None:
    """What a pull of an empty cache holds of each object, beside what the threads work on."""
    number, oid = 20_000, "a" * 32 + ".dir"
    names = ((f"folder/{at:07}.bin", f"{at:032x}") for at in range(number))
    entries = [{"md5": md5, "relpath": name} for name, md5 in names]
    odb = LocalHashFileDB(localfs, str(tmp_path))
    path = Path(odb.oid_to_path(oid))
    path.parent.mkdir()
    path.write_text(json.dumps(entries, sort_keys=True), encoding="utf-8")
    path.chmod(0o444)
    del entries
    tracemalloc.start()
    try:
        wanted = gathered.Gathered(None)
        wanted.add(oid, [odb])
        lacking = set(in_cache.not_in_cache(odb, wanted.objects))
        todo = deque(sorted(lacking))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(todo) == number
    assert peak / number < 500
