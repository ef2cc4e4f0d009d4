"""Killed while data moves: run it again, and all is there. `make soak` also kills the store."""

from collections.abc import Callable

import pytest

from bucket import Project
from tests.dvc_plane.killing import FILES, Victim, round_of_pull, round_of_push


@pytest.fixture
def victim(new_project: Callable[[], Project]) -> Victim:
    return Victim(new_project(), seed=1)


def test_killed_while_data_moves(victim: Victim) -> None:
    round_of_push(victim, "client")
    round_of_pull(victim, "client")
    assert victim.leftovers() == []


def test_interrupted_by_the_person_at_the_keyboard(victim: Victim) -> None:
    victim.new_data()
    victim.dvc("push")
    victim.forget()
    status, seconds = victim.stopped("pull")
    assert status == 252  # DVC's own for it
    assert seconds < 8
    assert victim.leftovers() == [], list((victim.root / ".dvc" / "cache").glob(".b*/**/*"))
    assert FILES // 4 <= victim.cached() < FILES + 1
    victim.dvc("pull")
    victim.check()
