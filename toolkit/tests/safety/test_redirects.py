"""Headers with secrets go to the endpoint's own host, wherever a redirect leads."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import obstore
import polars as pl
import pytest
from pyarrow.fs import S3FileSystem
from pydantic import SecretStr

from dvc_bucket import Settings
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection import clients
from dvc_bucket.dvc.patched.s3 import FastS3FileSystem
from tests.bucket.client_tools import by_boto3, by_botocore, by_obstore, by_pyarrow, by_s3fs
from tests.doctor.fronts import Middle, Reply, Request

TOKEN = "token-of-ours"
#: 32 bytes, in the notation that S3 wants.
OWN_KEY = "S2VlcFRoaXNTZWNyZXRLZWVwVGhpc1NlY3JldDEyMzQ="  # pragma: allowlist secret


@dataclass
class Servers:
    """A store that redirects everything, and the other host that it redirects to.

    Attributes:
        url: of the store.
        asked: requests that reached the store.
        strayed: requests that reached the other host.
    """

    status: int
    url: str = ""
    other: str = ""
    asked: list[Request] = field(default_factory=list)
    strayed: list[Request] = field(default_factory=list)

    def redirect(self, request: Request, _: object) -> Reply:
        self.asked.append(request)
        return Reply(self.status, {"Location": f"{self.other}{request.path}"})

    def take(self, request: Request, _: object) -> Reply:
        self.strayed.append(request)
        return Reply(200, {"ETag": '"x"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"})

    def settings(self, **changes: Any) -> Settings:
        return Settings(
            endpoint_url=self.url,
            bucket_name="lab-data",
            access_key_id="key-id",
            secret_access_key=SecretStr("secret"),
            session_token=SecretStr(TOKEN),
            region="us-east-1",
        ).model_copy(update=changes)

    @property
    def leaked(self) -> list[str]:
        """Secret headers that the other host received, in small letters."""
        secret = ("authorization", "x-amz-security-token", "x-amz-server-side-encryption-customer-")
        names = [name.lower() for request in self.strayed for name in request.headers]
        return [name for name in names if name.startswith(secret)]


@pytest.fixture(params=[301, 302, 303, 307, 308])
def servers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    monkeypatch.setenv("HOME", "/nonexistent")
    servers = Servers(request.param)
    with Middle(servers.take) as other, Middle(servers.redirect) as store:
        servers.url = store.url
        servers.other = f"http://localhost:{other.port}"  # another name is another host
        yield servers


def by_polars(settings: Settings, key: str, _: bytes) -> object:
    return pl.scan_parquet(
        f"s3://{settings.bucket_name}/{key}",
        storage_options=clients.polars(settings.model_copy(update={"retry_seconds": 0})),
        credential_provider=lambda: (clients.polars_credentials(settings), None),
    ).collect()


@pytest.mark.parametrize("use", [by_obstore, by_pyarrow, by_s3fs, by_botocore, by_boto3, by_polars])
def test_no_client_takes_secrets_to_another_host(
    servers: Servers, use: Callable[[Settings, str, bytes], object]
) -> None:
    with contextlib.suppress(Exception):  # what it says is its own affair
        use(servers.settings(connect_timeout=2, read_timeout=2), "folder/x", b"x")
    assert any(TOKEN in request.headers.values() for request in servers.asked)
    assert servers.leaked == []


def test_nor_does_it_take_a_key_of_the_customers_own(servers: Servers) -> None:
    options: dict[str, Any] = {
        "server_side_encryption": "sse-c",
        "sse_customer_key_base64": OWN_KEY,
    }
    store = clients.obstore(servers.settings(), **options)
    for ask in (obstore.get, obstore.head):
        with pytest.raises(Exception, match="S3"):
            ask(store, "x")
    assert OWN_KEY in str(servers.asked)
    assert servers.leaked == []


def test_nor_does_dvcs_own_client(servers: Servers) -> None:
    """Which serves where the fast one cannot: here for the sake of an option."""
    filesystem = FastS3FileSystem(
        endpointurl=servers.url,
        access_key_id="key-id",
        secret_access_key="secret",
        session_token=TOKEN,
        region="us-east-1",
        acl="private",
        sse_customer_key=OWN_KEY,
    )
    assert filesystem.place("lab-data/x") is None
    with contextlib.suppress(Exception):
        filesystem.cat_file("lab-data/x")
    assert OWN_KEY in str(servers.asked)
    assert servers.leaked == []


@pytest.mark.parametrize("servers", [301, 307], indirect=True)
def test_nor_does_plain_dvc(servers: Servers, tmp_path: Path) -> None:
    """In a process of ours, for which a person chose it."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text(
        "[core]\n    remote = storage\n    no_scm = true\n    analytics = false\n"
        f"['remote \"storage\"']\n    url = s3://lab-data/x\n    endpointurl = {servers.url}\n"
    )
    (tmp_path / "x.dvc").write_text(f"outs:\n- md5: {'a' * 32}\n  hash: md5\n  path: x\n")
    keys = {
        "AWS_ACCESS_KEY_ID": "key-id",
        "AWS_SECRET_ACCESS_KEY": "secret",  # pragma: allowlist secret
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "dvc_bucket.dvc.process", "pull"],
        cwd=tmp_path,
        env=os.environ | keys | {"BUCKET_FAST": "0", "DVC_SITE_CACHE_DIR": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.startswith("bucket: BUCKET_FAST=0: plain DVC")
    assert any(TOKEN in request.headers.values() for request in servers.asked), done.stderr
    assert servers.leaked == []


@pytest.mark.parametrize("servers", [307], indirect=True)
def test_pyarrow_with_another_region_refuses_an_endpoint_that_redirects(servers: Servers) -> None:
    """It cannot be kept from following there, so that the endpoint is asked first."""
    with pytest.raises(SettingsError, match="redirects to 'localhost'") as caught:
        clients.pyarrow(servers.settings(region="lab-1"))
    assert "OS_ENDPOINT_URL" in str(caught.value)
    assert servers.leaked == []
    without = servers.settings(region="lab-1", session_token=None)
    assert isinstance(clients.pyarrow(without), S3FileSystem)


@pytest.mark.parametrize("servers", [307], indirect=True)
def test_a_proxy_of_the_environment_is_still_used(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way of keeping obstore at its host must not take the way to it."""
    monkeypatch.setenv("http_proxy", servers.other)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    store = clients.obstore(servers.settings(endpoint_url="http://store.example"))
    assert bytes(obstore.get(store, "x").bytes()) == b""
    assert [request.header("host") for request in servers.strayed] == ["store.example"]
    assert os.environ["http_proxy"] == servers.other
