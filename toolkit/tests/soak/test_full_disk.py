"""Every word that writes, on a disk that is full at several places."""

import os
from pathlib import Path

import pytest

from dvc_bucket import Project
from tests.failures import full_disk
from tests.failures import world as worlds


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_every_word_on_a_full_disk(store: Project, tmp_path: Path) -> None:
    wrong = []
    with worlds.opened(store, tmp_path) as world:
        full_disk.publish_more(world.made)
        for number, words in enumerate(full_disk.WORDS):
            for left in (0, 40_000, 400_000, 1_500_000):
                wrong += full_disk.wrong(world, tmp_path / f"{number}-{left}", words, left)
    assert wrong == []
