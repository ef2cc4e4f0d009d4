"""A look-up in DVC's index finds what DVC's own finds."""

from typing import Any

import pytest
from dvc_data.index.index import StorageInfo, StorageKeyError, StorageMapping
from hypothesis import given, settings
from hypothesis import strategies as st
from sqltrie.sqlite.sqlite import SQLiteTrie

from dvc_bucket.dvc.patched import index_lookups

NAMES = st.sampled_from(["a", "b", "it's", "é", "a b", ".dir"])
KEYS = st.lists(NAMES, min_size=1, max_size=4).map(tuple)

DVCS_NODES: Any = SQLiteTrie._traverse
DVCS_STORAGE: Any = StorageMapping.__getitem__


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(KEYS, st.binary(max_size=4), max_size=12), st.lists(KEYS, max_size=12))
def test_the_nodes_on_the_way_to_a_key(content: dict[Any, bytes], asked: list[Any]) -> None:
    trie = SQLiteTrie()
    for key, value in content.items():
        trie[key] = value
    nodes = index_lookups.traverse(DVCS_NODES)
    for key in [*asked, *content]:
        theirs = [dict(row) for row in DVCS_NODES(trie, key)]
        assert nodes(trie, key) == theirs
    for key in content:
        below = trie.view(key[:1])
        assert nodes(below, key[1:]) == [dict(row) for row in DVCS_NODES(below, key[1:])]
    trie.close()


def test_a_trie_works_the_same_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def life() -> list[Any]:
        trie = SQLiteTrie()
        trie["a", "b"] = b"1"
        trie["a", "c", "d"] = b"2"
        found = [sorted(trie.items()), trie["a", "b"], trie.longest_prefix(("a", "b", "x"))]
        found.append(sorted(trie.view(("a", "c")).items()))
        del trie["a", "b"]
        found.append([key in trie for key in (("a",), ("a", "b"), ("a", "c", "d"), ("z",))])
        trie.close()
        return found

    theirs = life()
    monkeypatch.setattr(SQLiteTrie, "_traverse", index_lookups.traverse(DVCS_NODES))
    assert life() == theirs


STORAGES = st.builds(
    StorageInfo, *(st.one_of(st.none(), st.integers()) for _ in ("data", "cache", "remote"))
)


@given(st.dictionaries(st.lists(NAMES, max_size=3).map(tuple), STORAGES, max_size=6), KEYS)
def test_where_the_content_of_a_key_is(content: dict[Any, Any], key: Any) -> None:
    mapping, storage = StorageMapping(content), index_lookups.storage(DVCS_STORAGE)
    try:
        theirs = DVCS_STORAGE(mapping, key)
    except StorageKeyError:
        with pytest.raises(StorageKeyError):
            storage(mapping, key)
    else:
        assert storage(mapping, key) == theirs
