"""One project a store, pushed once a session; every test gets a copy of both."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.stores.access import StoreAccess
from tests.stores.fixtures import STORES, access
from tests.verify.published import Published, publish


@pytest.fixture(scope="session")
def originals(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Published]:
    """Made at the same time, as each is several programs one after another."""
    stores = [access(request, name) for name in STORES]
    roots = [tmp_path_factory.mktemp(name) / "project" for name in STORES]
    with ThreadPoolExecutor() as pool:
        return dict(zip(STORES, pool.map(publish, roots, stores), strict=True))


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
