"""`bucket du`: what the data takes, by dataset and revision, and what `gc` could free."""

import json
import re
from typing import Any

import pytest

from tests.others.conftest import bucket, word
from tests.stores.fixtures import access
from tests.verify.published import Published, empty

#: Sizes of the files, so that each sum names its parts.
SHARED, FIRST, SECOND, THIRD, BRANCH, TAG, STASH, LEFT = (10**n for n in range(8))


def content(size: int) -> bytes:
    """Bytes that no other size has."""
    return f"{size}".encode().ljust(size, b".")[:size] if size > 9 else b"s" * size


@pytest.fixture(scope="module")
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Three commits, a branch, a tag of an older one, a stash, and an object of nobody."""
    made = empty(tmp_path_factory.mktemp("du") / "project", access(request, "seaweed"))

    def table(size: int, message: str = "") -> None:
        made.put(made.track("table", content(size)), content(size))
        if message:
            made.commit(message)

    (made.root / "pictures").mkdir()
    (made.root / "pictures" / "same").write_bytes(content(SHARED))
    made.dvc("add", "pictures")
    made.dvc("push")
    table(TAG, "Tagged")
    made.git("tag", "v1")
    table(FIRST, "An old one")
    made.track("same", content(SHARED))
    table(SECOND, "A file of the same content")
    made.git("checkout", "-q", "-b", "other")
    table(BRANCH, "On a branch")
    made.git("checkout", "-q", "main")
    table(THIRD, "The last")
    table(STASH)
    made.git("stash")
    made.put("files/md5/ab/" + "c" * 30, content(LEFT))
    return made


@pytest.fixture(autouse=True)
def _there(history: Published, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(history.root)


def du(*words: str) -> Any:
    done = word("du", "--json", *words)
    assert done.exit_code == 0
    return json.loads(done.stdout)


def sizes(rows: Any) -> dict[str, tuple[int, int]]:
    return {row["name"].partition(" (")[0]: (row["size"], row["own_size"]) for row in rows}


def test_the_work_tree_by_dataset() -> None:
    found = du()
    rows = sizes(found["datasets"])
    listing = rows["pictures"][0] - SHARED  # the list of its files is an object, too
    assert rows["table"] == (THIRD, THIRD)
    assert rows["same"] == (SHARED, 0)
    assert rows["pictures"] == (SHARED + listing, listing)
    assert found["size"] == THIRD + SHARED + listing
    assert found["freeable"] is None


def test_revisions_share_and_hold_alone() -> None:
    found = du("--rev", "v1", "--rev", "main")
    names = {
        row["name"].partition("(")[2].strip(")"): row["own_size"] for row in found["revisions"]
    }
    assert names == {"v1": TAG, "main": THIRD}


def test_what_could_be_freed_is_what_gc_would_remove(history: Published) -> None:
    found = du("-A", "--price", "1000")
    free = found["freeable"]
    assert (free["old_objects"], free["old_size"]) == (2, FIRST + SECOND)
    assert (free["unneeded_objects"], free["unneeded_size"]) == (1, LEFT)
    assert found["cost"]["freeable"] == round((FIRST + SECOND + LEFT) / 1e6, 6)
    words = (
        "gc",
        "--cloud",
        "--all-branches",
        "--all-tags",
        "--all-experiments",
        "--force",
        "--dry",
    )
    done = bucket(history.clone, *words)
    removed = re.findall(r"Removed (\d+) objects from remote", done.stdout + done.stderr)
    assert sum(map(int, removed)) == free["old_objects"] + free["unneeded_objects"]
    assert history.keys  # nothing was removed


def test_people_read_sentences() -> None:
    said = word("du", "-A", "--price", "0.02").stdout
    assert "Only old commits need 2 objects" in said
    assert "no commit of this clone needs 1 more (10.0 MB)" in said
    assert "a month" in said
    assert word("du", "--rev", "none").exit_code == 2
    assert word("du", "-A", "--rev", "v1").exit_code == 2
