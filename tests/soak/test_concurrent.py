"""Commands at once, round after round; and the pipeline itself."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bucket import Project
from tests.clones import Clone
from tests.dvc_plane.concurrent_tools import assert_cache_whole, make_clone, together
from tests.end_to_end.conftest import make_clone as make_whole_clone  # noqa: F401 (a fixture)

ROUNDS = 10
STAGES = 6

#: What says that all is up to date, and sent.
CHECKS = ("dvc status -q", "verify --deep")


def test_commands_at_once(store: Project, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    clones = [make_clone(tmp_path / name, store, tmp_path.name, cache, STAGES) for name in "ab"]
    one = clones[0]
    for number in range(ROUNDS):
        print(f"round {number}")
        release = f"1.{number}"
        for clone in clones:
            clone.release(release)
        together(*((one, f"dvc repro part{part}") for part in range(STAGES)))
        assert one.runs() == sorted(one.names)
        together(*((clone, "reproduce") for clone in clones for _ in range(2)))
        for lost in (False, True):
            if lost:
                shutil.rmtree(cache)
                for clone in clones:
                    clone.forget()
                together(*((clone, "dvc pull") for clone in clones for _ in range(2)))
            for clone in clones:
                clone.assert_whole(release)
            assert_cache_whole(cache)
            together(*((clone, words) for clone in clones for words in CHECKS))


def test_make_reproduce_at_once(
    make_whole_clone: Callable[..., Clone],  # noqa: F811
    tmp_path: Path,
) -> None:
    """Twice in one clone, and in another with the same store and cache."""
    one, other = (make_whole_clone(tmp_path / name) for name in ("one", "other"))
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
