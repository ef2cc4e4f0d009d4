"""One project a store, pushed once a session; every test gets a copy of both."""

from pathlib import Path

import pytest

from tests.stores.access import StoreAccess
from tests.verify.published import Published, on_each_store, publish


@pytest.fixture(scope="session")
def originals(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Published]:
    return on_each_store(request, tmp_path_factory, publish)


@pytest.fixture
def published(
    remote_store: StoreAccess, originals: dict[str, Published], tmp_path: Path
) -> Published:
    """On each of the stores in turn."""
    return originals[remote_store.name].copy(tmp_path / "project")


@pytest.fixture
def on_seaweed(originals: dict[str, Published], tmp_path: Path) -> Published:
    """On one of them, for what does not depend on the store."""
    return originals["seaweed"].copy(tmp_path / "project")
