"""Killed while objects move: run it again, and all is there. The soak has thirty rounds."""

import pytest

from tests.lfs.killing import Killer, round_of
from tests.lfs.lfs_tools import clone_of, make_origin, needs_git_lfs
from tests.stores.fixtures import access

pytestmark = needs_git_lfs


def test_killed_while_objects_move(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    origin = make_origin(tmp_path_factory.mktemp("killed") / "clone", access(request, "seaweed"))
    origin.git("push", "-q", "-u", "origin", "main")
    other = clone_of(origin, origin.root.parent / "other")
    round_of(Killer(1), origin, other)
