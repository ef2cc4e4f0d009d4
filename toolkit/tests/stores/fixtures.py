"""The stores that tests ask for by name; each is started for the first test that does, and once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from tests.stores.access import StoreAccess
from tests.stores.rclone import Rclone
from tests.stores.swift import Swift
from tests.stores.tls import Authority, Front

#: The stores that `remote_store` gives.
STORES = ("swift", "seaweed")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of this session's own."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def good_certificate(authority: Authority) -> Path:
    """A good certificate of it, for 127.0.0.1 and localhost."""
    return authority.good()


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    """A running Swift, plain http, for tests that leave it as it is."""
    with Swift(tmp_path_factory.mktemp("swift")) as running:
        yield running


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rclone]:
    """A running `rclone serve s3`, plain http."""
    with Rclone(tmp_path_factory.mktemp("rclone") / "buckets") as running:
        yield running


@pytest.fixture(scope="session")
def rclone_tls_endpoint(rclone: Rclone, good_certificate: Path) -> Iterator[str]:
    """URL of that rclone behind TLS."""
    with Front(rclone.port, good_certificate) as front:
        yield front.url


@pytest.fixture(scope="session")
def swift_tls_endpoint(swift: Swift, good_certificate: Path) -> Iterator[str]:
    """URL of that Swift behind TLS."""
    with Front(swift.port, good_certificate) as front:
        yield front.url


@pytest.fixture(scope="session")
def seaweed_tls_endpoint(store: Project, good_certificate: Path) -> Iterator[str]:
    """URL of the session's embedded store behind TLS."""
    with Front(Settings.load(store).port, good_certificate) as front:
        yield front.url


@pytest.fixture(scope="session", params=STORES)
def remote_store(request: pytest.FixtureRequest) -> StoreAccess:
    """Each of the two stores behind TLS, in turn."""
    return access(request, request.param)


def access(request: pytest.FixtureRequest, name: str) -> StoreAccess:
    """A store by name: one of these two, or `rclone`."""
    url: str = request.getfixturevalue(f"{name}_tls_endpoint")
    authority: Authority = request.getfixturevalue("authority")
    if name == "seaweed":
        settings = Settings.load(request.getfixturevalue("store"))
    else:
        settings = request.getfixturevalue(name).settings()
    return StoreAccess.through(name, url, settings, authority.bundle)
