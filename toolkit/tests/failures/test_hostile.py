"""Whatever project, machine or store do to it, a command ends with a status and a sentence.

`make -C toolkit soak` tries two thousand other examples.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from dvc_bucket import Project
from tests.failures import world as worlds
from tests.failures.world import EXAMPLES, Example, World


@pytest.fixture(scope="module")
def world(store: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with worlds.opened(store, tmp_path_factory.mktemp("hostile")) as made:
        yield made


@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(example=EXAMPLES)
def test_every_command_ends_with_a_status_and_a_sentence(world: World, example: Example) -> None:
    assert worlds.wrong(world, example) == []
