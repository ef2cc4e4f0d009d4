"""Git LFS at full size, and killed thirty times."""

import hashlib
import time
from pathlib import Path

import pytest

from tests.lfs.killing import Killer, round_of
from tests.lfs.lfs_tools import TRACKED, add_files, clone_of, make_origin, needs_git_lfs
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access

pytestmark = [needs_git_lfs, pytest.mark.timeout(3600)]

ROUNDS = 30


def test_500_files_and_one_of_300_mb(remote_store: StoreAccess, tmp_path: Path) -> None:
    origin = make_origin(tmp_path / "clone", remote_store)
    sizes = {f"{number}": 2**20 for number in range(500)} | {"one": 300_000_000}
    contents = add_files(origin, sizes)
    origin.git("push", "-q", "-u", "origin", "main")
    other = clone_of(origin, tmp_path / "other")
    other.git("lfs", "pull")
    for name, content in contents.items():
        with (other.root / TRACKED / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").digest()
        assert found == hashlib.sha256(content).digest(), name


def test_killed_while_objects_move(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    origin = make_origin(tmp_path / "clone", access(request, "seaweed"))
    origin.git("push", "-q", "-u", "origin", "main")
    other = clone_of(origin, tmp_path / "other")
    seed = int(time.time())
    print(f"seed {seed}")
    killer, survived = Killer(seed), 0
    for number in range(ROUNDS):
        print(f"round {number}")
        round_of(killer, origin, other)
        survived += 1
    assert survived == ROUNDS
