"""A project's life on a store with ways of its own; `tests/soak` has all of it, on three stores."""

from pathlib import Path

import pytest

from tests.stores.fixtures import access
from tests.stores.life import live

#: What a store can make go wrong, in few commands.
STEPS = ("begin", "reproduce", "go_elsewhere")


def test_rclone(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    live(tmp_path, access(request, "rclone"), *STEPS)
