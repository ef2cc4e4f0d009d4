"""Commands at once: in one clone, and in two that share a cache and a remote."""

import shutil
from pathlib import Path

from dvc_bucket import Project
from tests.patched.concurrent_tools import assert_cache_whole, make_clone, together


def test_all_at_once_and_nothing_is_corrupt(store: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    one, other = (
        make_clone(tmp_path / name, store, tmp_path.name, cache, stages=3) for name in "ab"
    )
    for clone in (one, other):
        clone.release("1.0")
    together(*((one, f"dvc repro part{number}") for number in range(3)))
    assert one.runs() == sorted(one.names)  # what all read ran once
    together((one, "reproduce"), (one, "reproduce"), (other, "reproduce"))
    assert one.runs() == sorted(one.names)
    shutil.rmtree(cache)
    one.forget()
    other.forget()
    together((one, "dvc pull"), (other, "dvc pull"))
    for clone in (one, other):
        clone.assert_whole("1.0")
    assert_cache_whole(cache)
    together((one, "verify --deep"))
    assert one.lock() == other.lock()
