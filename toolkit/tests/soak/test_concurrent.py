"""Commands at once, round after round."""

import shutil
from pathlib import Path

from dvc_bucket import Project
from tests.patched.concurrent_tools import assert_cache_whole, make_clone, together

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
