"""One life on three stores behind TLS: what holds on one holds on all."""

from pathlib import Path

import pytest

from tests.lfs.lfs_tools import needs_git_lfs
from tests.stores.fixtures import access
from tests.stores.life import live

STEPS = (
    *("begin", "reproduce", "go_elsewhere", "read", "verify_and_repair", "collect", "prove"),
    "track_with_lfs",
)


@needs_git_lfs
@pytest.mark.parametrize("name", ["seaweed", "swift", "rclone"])
def test_every_word(request: pytest.FixtureRequest, tmp_path: Path, name: str) -> None:
    live(tmp_path, access(request, name), *STEPS)
