"""Every client with real requests: put, list, get, on three connections to two real stores."""

import contextlib
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import obstore
import pandas as pd
import pytest
import s3fs
from pydantic import SecretStr

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection import clients
from tests.bucket.client_tools import BIG, CLIENTS, FOREIGN, IN_PARTS
from tests.doctor.weed import DOMAIN, Weed
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.stores.plain_front import Exchange, PlainFront

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(params=["embedded", "swift", "profile"])
def settings(request: pytest.FixtureRequest, store: Project, project: Project) -> Settings:
    """The embedded store as it is; Swift behind TLS; a profile, at SeaweedFS behind TLS."""
    if request.param == "embedded":
        return Settings.load(store)
    if request.param == "swift":
        return Settings.load(project, access(request, "swift").env)
    profile: Settings = request.getfixturevalue("profile")
    return profile


@pytest.fixture
def profile(
    request: pytest.FixtureRequest,
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """An AWS set-up instead of keys: a profile of `.env`, in files that the environment names."""
    found: StoreAccess = access(request, "seaweed")
    files = {
        "AWS_CONFIG_FILE": "[profile lab]\nregion = lab-1\n",
        "AWS_SHARED_CREDENTIALS_FILE": (
            f"[lab]\naws_access_key_id = {found.access_key_id}\n"
            f"aws_secret_access_key = {found.secret_access_key}\n"
        ),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        monkeypatch.setenv(name, str(tmp_path / name))
    lines = ["AWS_PROFILE=lab", f"OS_ENDPOINT_URL={found.endpoint_url}"]
    project.env_file.write_text("\n".join([*lines, f"OS_CACERT={found.ca_bundle}"]))
    settings = Settings.load(project)
    assert (settings.access_key_id, settings.profile) == (None, "lab")
    return settings


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_puts_it_lists_and_gets(settings: Settings, client: str) -> None:
    before = dict(os.environ)
    key = f"clients/{client}/small"
    assert CLIENTS[client](settings, key, b"\x00small") == ([key], b"\x00small")
    assert dict(os.environ) == before


@pytest.mark.parametrize("client", IN_PARTS)
def test_what_is_large_goes_in_parts(
    request: pytest.FixtureRequest, project: Project, client: str
) -> None:
    settings = Settings.load(project, access(request, "seaweed").env)
    key = f"in-parts/{client}/large"
    assert CLIENTS[client](settings, key, BIG) == ([key], BIG)
    found = clients.botocore(settings).head_object(Bucket=settings.bucket_name, Key=key)
    assert found["ETag"].endswith('-2"')


def test_pandas_reads_and_writes_with_the_storage_options(settings: Settings) -> None:
    table, url = pd.DataFrame({"a": [1, 2, 3]}), f"s3://{settings.bucket_name}/pandas/t.parquet"
    options = clients.storage_options(settings)
    table.to_parquet(url, storage_options=options)
    pd.testing.assert_frame_equal(pd.read_parquet(url, storage_options=options), table)
    found = pd.read_parquet(
        url.removeprefix("s3://"), filesystem=clients.pyarrow(settings), columns=["a"]
    )
    pd.testing.assert_frame_equal(found, table)


@pytest.fixture
def front(store: Project) -> Iterator[PlainFront]:
    """Before the embedded store, to see what is sent."""
    with PlainFront(Settings.load(store).port) as front:
        yield front


@pytest.mark.parametrize("client", CLIENTS)
def test_the_environment_of_other_stores_reaches_no_client(
    store: Project, front: PlainFront, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    settings = Settings.load(store, FOREIGN | {"OS_ENDPOINT_URL": front.url})
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    key = f"beside/{client}/x"
    assert CLIENTS[client](settings, key, b"x") == ([key], b"x")
    for exchange in front.exchanges:
        assert f"Credential={settings.access_key_id}/" in exchange.headers["authorization"]
        assert "/us-east-1/s3/" in exchange.headers["authorization"]
        assert "foreign" not in f"{exchange.headers}{exchange.path}"
        assert not sent_as_checksum(exchange)
    assert {exchange.method for exchange in front.exchanges} >= {"PUT", "GET"}


def sent_as_checksum(exchange: Exchange) -> set[str]:
    """Headers of the checksums that several stores refuse."""
    names = ("x-amz-checksum-", "x-amz-sdk-checksum-", "x-amz-trailer")
    return {name for name in exchange.headers if name.startswith(names)}


def test_our_own_token_goes_with_the_keys(store: Project, front: PlainFront) -> None:
    settings = Settings.load(store, {"OS_ENDPOINT_URL": front.url}).model_copy(
        update={"session_token": SecretStr("our-token")}
    )
    for client, use in CLIENTS.items():
        front.exchanges.clear()
        with contextlib.suppress(Exception):  # the embedded store gives out no tokens
            use(settings, f"token/{client}/x", b"x")
        sent = [exchange.headers.get("x-amz-security-token") for exchange in front.exchanges]
        assert set(sent) == {"our-token"}, client


def test_making_a_client_hides_nothing_from_other_threads(
    store: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load(store)
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    done = threading.Event()
    lost: list[str] = []

    def look() -> None:
        while not done.is_set():
            lost.extend(name for name in FOREIGN if os.environ.get(name) != FOREIGN[name])

    watcher = threading.Thread(target=look)
    watcher.start()
    with ThreadPoolExecutor(4) as pool:
        makers: list[Callable[[Settings], object]] = [clients.obstore, clients.pyarrow]
        made = list(pool.map(lambda make: make(settings), makers * 8))
    done.set()
    watcher.join()
    assert (len(made), lost) == (16, [])
    assert not [name for name in clients.CHECKSUMS if name in os.environ]


def test_the_region_is_that_of_the_profile(profile: Settings) -> None:
    assert clients.region(profile) == "lab-1"
    url = obstore.sign(clients.obstore(profile), "GET", "key", pd.Timedelta(seconds=60))
    assert "%2Flab-1%2Fs3%2F" in url


@pytest.mark.parametrize("make", [clients.botocore, clients.obstore, clients.pyarrow])
def test_an_aws_set_up_that_cannot_be_used_is_one_sentence(
    profile: Settings, make: Callable[[Settings], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = profile.model_copy(update={"profile": "nobody"})
    with pytest.raises(SettingsError, match=r"profile \(nobody\) could not be found. Correct AWS_"):
        make(unknown)
    if make is not clients.botocore:  # it looks for credentials with the first request
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        nothing = profile.model_copy(update={"profile": None})
        with pytest.raises(SettingsError, match="your AWS configuration has no credentials either"):
            make(nothing)


# The bucket in the host name.


@pytest.mark.parametrize(
    ("style", "client"),
    [
        *(("virtual", client) for client in CLIENTS),
        *(("auto", client) for client in ("botocore", "pyarrow", "obstore", "rclone")),
        ("path", "obstore"),
    ],
)
def test_the_bucket_goes_where_it_is_to_go(
    weed: Weed, monkeypatch: pytest.MonkeyPatch, style: str, client: str
) -> None:
    changes = {"endpoint_url": f"http://{DOMAIN}", "addressing_style": style}
    settings = weed.settings().model_copy(update=changes)
    # No DNS knows the name: a proxy takes the request there, as it would on a cluster.
    with PlainFront(weed.port) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        key = f"{style}/{client}/x"
        assert CLIENTS[client](settings, key, b"x") == ([key], b"x")
        paths = [exchange.path for exchange in proxy.exchanges]
    # s5cmd has no word for it, nor have the variables of the SDKs: a file tells DVC.
    is_virtual = style == "virtual" and client not in {"s5cmd", "sdk"}
    start = f"http://research-data.{DOMAIN}/" if is_virtual else f"http://{DOMAIN}/research-data"
    assert paths
    assert not [path for path in paths if not path.startswith(start)]


def test_urls_are_signed_with_the_present_signature(weed: Weed) -> None:
    settings = weed.settings().model_copy(
        update={"endpoint_url": "https://s3.example.org", "addressing_style": "virtual"}
    )
    where, bucket = {"Bucket": "research-data", "Key": "k"}, "research-data/k"
    urls = [
        make(settings).generate_presigned_url("get_object", Params=where)
        for make in (clients.botocore, clients.boto3)
    ]
    urls.append(obstore.sign(clients.obstore(settings), "GET", "k", pd.Timedelta(seconds=60)))
    urls.append(s3fs.S3FileSystem(**clients.storage_options(settings)).sign(bucket))
    for url in urls:
        assert url.startswith("https://research-data.s3.example.org/k?")
        assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url


def test_a_bucket_with_dots_is_in_the_path_where_a_certificate_covers_no_dots(weed: Weed) -> None:
    endpoint = "https://s3.eu-north-1.amazonaws.com"
    settings = weed.settings().model_copy(
        update={
            "endpoint_url": endpoint,
            "region": "eu-north-1",
            "is_aws": True,
            "bucket_name": "lab.data.2024",
        }
    )
    where = {"Bucket": settings.bucket_name, "Key": "k"}
    urls = [clients.botocore(settings).generate_presigned_url("get_object", Params=where)]
    urls.append(obstore.sign(clients.obstore(settings), "GET", "k", pd.Timedelta(seconds=60)))
    for url in urls:
        assert url.startswith(f"{endpoint}/lab.data.2024/k?")


@pytest.mark.skipif(not shutil.which("mc"), reason="mc is in no registry of Python packages")
def test_mc_lists_and_gets(settings: Settings) -> None:
    CLIENTS["botocore"](settings, "mc/x", b"x")
    variables = dict(os.environ) | clients.mc_environment(settings)
    path = f"{clients.ALIAS}/{settings.bucket_name}/mc/x"
    done = subprocess.run(["mc", "cat", path], env=variables, capture_output=True, check=True)
    assert done.stdout == b"x"
