"""The main job at once, twice in one clone and in another with the same store and cache."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.clones import Clone
from tests.end_to_end.conftest import make_clone  # noqa: F401 (a fixture)
from tests.patched.concurrent_tools import assert_cache_whole


def test_make_reproduce_at_once(
    make_clone: Callable[..., Clone],  # noqa: F811
    tmp_path: Path,
) -> None:
    """Twice in one clone, and in another with the same store and cache."""
    one, other = (make_clone(tmp_path / name) for name in ("one", "other"))
    shutil.copy(one.root / ".env", other.root)
    for clone in (one, other):
        clone.run("dvc", "cache", "dir", "--local", tmp_path / "cache")
        clone.run("dvc", "config", "--local", "cache.shared", "group")
    one.run("bucket", "serve")
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda clone: clone.make("reproduce"), (one, one, other)))
    assert all("held-out flights" in each.stdout for each in done)
    for clone in (one, other):
        assert clone.run("git", "status", "--porcelain").stdout == ""
        clone.run("dvc", "status", "-q")
        clone.run("bucket", "verify", "--deep")
    assert_cache_whole(tmp_path / "cache")
