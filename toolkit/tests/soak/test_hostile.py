"""Two thousand hostile projects, machines and stores, and a command in each."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from dvc_bucket import Project
from tests.failures import world as worlds
from tests.failures.world import EXAMPLES, Example, World


@pytest.mark.timeout(0)
def test_no_command_ends_in_a_traceback(store: Project, tmp_path: Path) -> None:
    @settings(
        max_examples=2000,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(example=EXAMPLES)
    def ends_well(example: Example) -> None:
        assert worlds.wrong(world, example) == []

    world: World
    with worlds.opened(store, tmp_path) as world:
        ends_well()
