"""Proxies of the environment: all clients take the same, and none to this machine."""

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.connection import clients
from tests.bucket.client_tools import CLIENTS
from tests.machines.machine import DEAD, PROXIES, Machine
from tests.stores.plain_front import PlainFront


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.usefixtures("_no_proxies")
def test_this_machine_is_reached_past_every_proxy(
    store: Project, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    for name in (*PROXIES, "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, DEAD)
    settings = Settings.load(store)
    key = f"past/{client}/x"
    assert CLIENTS[client](settings, key, b"x") == ([key], b"x")
    tunnel = settings.model_copy(update={"endpoint_url": "https://127.0.0.1:8443"})
    assert clients.proxy(tunnel) is None


@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("client", ["obstore", "s3fs", "pyarrow", "rclone", "s5cmd"])
@pytest.mark.usefixtures("_no_proxies")
def test_every_client_takes_the_same_proxy(
    store: Project, monkeypatch: pytest.MonkeyPatch, client: str, name: str
) -> None:
    own = Settings.load(store)
    settings = own.model_copy(update={"endpoint_url": "http://store.example"})
    with PlainFront(own.port) as proxy:
        monkeypatch.setenv(name, proxy.url)
        key = f"by/{client}/{name}/x"
        assert CLIENTS[client](settings, key, b"x") == ([key], b"x")
        assert {exchange.path.split("/")[2] for exchange in proxy.exchanges} == {"store.example"}


@pytest.fixture
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_proxies")
def test_a_proxy_that_no_client_speaks_to_is_one_sentence(store: Project) -> None:
    done = Machine(store.root).bucket(
        "verify",
        status=3,
        OS_ENDPOINT_URL="http://store.example",
        http_proxy="socks5://127.0.0.1:9",
    )
    said = "bucket: not checked. http_proxy names a proxy of a kind that S3 clients do"
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
