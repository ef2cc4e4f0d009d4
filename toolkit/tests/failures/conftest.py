"""One project on bad days for all tests of this folder: see `world`."""

from collections.abc import Iterator

import pytest

from dvc_bucket import Project
from tests.failures import full_disk
from tests.failures import world as worlds
from tests.failures.world import World
from tests.stores.faults import Faults


@pytest.fixture(scope="session")
def shared_world(store: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with worlds.opened(store, tmp_path_factory.mktemp("world")) as made:
        full_disk.publish_more(made.made)
        yield made


@pytest.fixture
def world(shared_world: World) -> World:
    """The project, in fine weather."""
    shared_world.proxy.faults = Faults()
    return shared_world
