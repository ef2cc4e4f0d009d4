"""A disk that is full, or a quota that is used up: a sentence, an end, and it runs again."""

import os
import re
from pathlib import Path

import pytest

from dvc_bucket import Settings
from dvc_bucket.base.errors import DiskError
from dvc_bucket.transfer.errors import DISK, naming_failures
from tests.failures import full_disk
from tests.failures.world import World

#: Of all words, for the tests that run each time.
SOME = ("pull", "cp big.bin out", "add new.csv")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
@pytest.mark.parametrize("words", SOME)
def test_a_full_disk(world: World, words: str, tmp_path: Path) -> None:
    for left in (0, 1_500_000):
        assert full_disk.wrong(world, tmp_path / str(left), words, left) == []


def test_a_pull_that_meets_a_quota_ends_with_a_sentence(world: World, tmp_path: Path) -> None:
    """It went on for ever, as the error was its own cause."""
    root = full_disk.Disk(tmp_path).clone(world.made)
    environment = world.environment(tmp_path, {})
    ended = world.runner.run(root, ["pull"], environment, 20, largest=1_000_000)
    assert ended.status == 1
    assert ended.output.count("File too large") == 1
    assert world.runner.run(root, ["pull"], environment, 20).status == 0
    assert (root / "big.bin").stat().st_size == full_disk.BIG_BYTES


@pytest.mark.parametrize("number", DISK, ids=os.strerror)
def test_what_a_disk_says_is_a_sentence_and_not_its_own_cause(number: int) -> None:
    """A used-up quota and a broken disk, too, which are hard to make."""
    values = {"endpoint_url": "https://store.example", "bucket_name": "data", "anonymous": True}
    error = OSError(number, os.strerror(number), "/data/x")
    said = re.escape(f"Could not download x: {os.strerror(number)} /data/x.")
    with (
        pytest.raises(DiskError, match=said) as caught,
        naming_failures("download x", Settings.model_validate(values)),
    ):
        raise error
    assert (caught.value.__cause__, error.__cause__) == (error, None)
