"""Client and server killed at random moments of push and pull, fifty times each."""

import time
from collections.abc import Callable

import pytest

from dvc_bucket import Project
from tests.patched.killing import Victim, round_of_pull, round_of_push

ROUNDS = 50


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("who", ["client", "server"])
def test_killed_while_data_moves(new_project: Callable[[], Project], who: str) -> None:
    seed = int(time.time())
    print(f"seed {seed}")
    survived = 0
    victim = Victim(new_project(), seed)
    for number in range(ROUNDS):
        print(f"{who}, round {number}")
        round_of_push(victim, who)
        round_of_pull(victim, who)
        survived += 1
    assert survived == ROUNDS
