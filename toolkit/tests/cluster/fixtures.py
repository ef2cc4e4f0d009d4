"""A Slurm for the tests, where the machine allows it."""

from collections.abc import Iterator

import pytest

from tests.cluster import packages
from tests.cluster.node import SlurmNode


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmNode]:
    """A node that takes jobs; it and everything in it is gone after the module's tests."""
    if reason := packages.why_not():
        pytest.skip(reason)
    node = SlurmNode(tmp_path_factory.mktemp("slurm"))
    try:
        node.start()
        yield node
    finally:
        node.stop()
