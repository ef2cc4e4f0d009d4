"""Every client with real requests: put, list, get, on three connections to two real stores."""

import contextlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import obstore
import pandas as pd
import pytest
import s3fs
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ReadTimeoutError
from obstore.exceptions import BaseError
from pyarrow.fs import FileSelector
from pydantic import SecretStr

from bucket import Project, Settings, clients
from bucket.errors import SettingsError
from tests.doctor.weed import DOMAIN, Weed
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.stores.plain_front import Exchange, PlainFront

pytestmark = pytest.mark.usefixtures("home")

TOOLS = Path(sys.executable).parent

#: More than S3's smallest part.
BIG = bytes(range(256)) * (6 * 1024**2 // 256)

#: What other stores' credentials leave in an environment; the discard port answers nobody.
FOREIGN = {
    "AWS_SESSION_TOKEN": "foreign-token",  # pragma: allowlist secret
    "AWS_SECURITY_TOKEN": "foreign-token",
    "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z",
    "AWS_ACCESS_KEY_ID": "foreign",  # pragma: allowlist secret
    "AWS_SECRET_ACCESS_KEY": "foreign",  # pragma: allowlist secret
    "AWS_PROFILE": "no-such-profile",
    "AWS_DEFAULT_PROFILE": "no-such-profile",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_REGION": "foreign-1",
    "AWS_DEFAULT_REGION": "foreign-1",
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    "AWS_REQUEST_PAYER": "true",
    "S3_ENDPOINT_URL": "http://127.0.0.1:9",
}

# One function a client: puts `data` as `key`, and returns what it lists beside it and what it gets.

Seen = tuple[list[str], bytes]


def by_botocore(settings: Settings, key: str, data: bytes) -> Seen:
    client, bucket = clients.botocore(settings), settings.bucket_name
    client.put_object(Bucket=bucket, Key=key, Body=data)
    listed = client.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
    got = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    return [entry["Key"] for entry in listed], got


def by_boto3(settings: Settings, key: str, data: bytes) -> Seen:
    client, bucket = clients.boto3(settings), settings.bucket_name
    parts = TransferConfig(multipart_threshold=5 * 1024**2, multipart_chunksize=5 * 1024**2)
    client.upload_fileobj(io.BytesIO(data), bucket, key, Config=parts)
    listed = client.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]
    got = io.BytesIO()
    client.download_fileobj(bucket, key, got)
    return [entry["Key"] for entry in listed], got.getvalue()


def by_s3fs(settings: Settings, key: str, data: bytes) -> Seen:
    # As Dask would send them to another machine.
    options = json.loads(json.dumps(clients.storage_options(settings)))
    files = s3fs.S3FileSystem(**options, skip_instance_cache=True)
    path = f"{settings.bucket_name}/{key}"
    files.pipe(path, data)
    return [files.ls(path)[0].removeprefix(f"{settings.bucket_name}/")], files.cat(path)


def by_pyarrow(settings: Settings, key: str, data: bytes) -> Seen:
    files, path = clients.pyarrow(settings), f"{settings.bucket_name}/{key}"
    with files.open_output_stream(path) as stream:
        stream.write(data)
    listed = files.get_file_info(FileSelector(path.rpartition("/")[0]))
    with files.open_input_stream(path) as stream:
        got = stream.read()
    return [entry.path.removeprefix(f"{settings.bucket_name}/") for entry in listed], got


def by_obstore(settings: Settings, key: str, data: bytes) -> Seen:
    store = clients.obstore(settings)
    obstore.put(store, key, data)
    listed = obstore.list(store, prefix=key.rpartition("/")[0]).collect()
    return [entry["path"] for entry in listed], bytes(obstore.get(store, key).bytes())


def by_rclone(settings: Settings, key: str, data: bytes) -> Seen:
    variables = clients.environment(settings, os.environ) | clients.rclone_environment(settings)
    path = f"{clients.ALIAS}:{settings.bucket_name}/{key}"

    def rclone(*words: str) -> bytes:
        return program("rclone", *words, variables=variables, given=data)

    parts = ("--s3-upload-cutoff=5Mi", "--s3-chunk-size=5Mi", "--streaming-upload-cutoff=5Mi")
    rclone("rcat", *parts, path)
    folder = key.rpartition("/")[0]
    names = rclone("lsf", path.removesuffix(key) + folder).decode().split()
    return [f"{folder}/{name}" for name in names], rclone("cat", path)


def by_s5cmd(settings: Settings, key: str, data: bytes) -> Seen:
    variables = clients.environment(settings, os.environ) | clients.s5cmd_environment(settings)
    path = f"s3://{settings.bucket_name}/{key}"

    def s5cmd(*words: str) -> bytes:
        return program("s5cmd", *words, variables=variables, given=data)

    s5cmd("pipe", "--part-size=5", path)
    # It leaves out objects of the next second, to which Swift rounds up.
    deadline = time.monotonic() + 5
    while not (listed := s5cmd("ls", path).decode().split()[3:]) and time.monotonic() < deadline:
        time.sleep(0.2)
    folder = key.rpartition("/")[0]
    return [f"{folder}/{name.rpartition('/')[2]}" for name in listed], s5cmd("cat", path)


def program(name: str, *words: str, variables: dict[str, str], given: bytes = b"") -> bytes:
    """What a program of this Python environment prints."""
    command = [str(TOOLS / name), *words]
    done = subprocess.run(
        command, env=variables, input=given, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def by_sdk(settings: Settings, key: str, data: bytes) -> Seen:
    """A program that knows of us only what its environment says."""
    code = (
        "import sys; from botocore.session import Session; bucket, key = sys.argv[1:]\n"
        "client = Session().create_client('s3'); body = sys.stdin.buffer.read()\n"
        "client.put_object(Bucket=bucket, Key=key, Body=body)\n"
        "print(client.list_objects_v2(Bucket=bucket, Prefix=key)['Contents'][0]['Key'])\n"
        "print(client.get_object(Bucket=bucket, Key=key)['Body'].read().hex())"
    )
    variables = clients.environment(settings, os.environ)
    words = ("-c", code, settings.bucket_name, key)
    listed, got = program("python", *words, variables=variables, given=data).decode().split()
    return [listed], bytes.fromhex(got)


CLIENTS: dict[str, Callable[[Settings, str, bytes], Seen]] = {
    "botocore": by_botocore,
    "boto3": by_boto3,
    "s3fs": by_s3fs,
    "pyarrow": by_pyarrow,
    "obstore": by_obstore,
    "rclone": by_rclone,
    "s5cmd": by_s5cmd,
    "sdk": by_sdk,
}

#: Those that send more than a few megabytes in parts.
IN_PARTS = ["boto3", "obstore", "rclone", "s5cmd"]


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
def profile(request: pytest.FixtureRequest, project: Project, tmp_path: Path) -> Settings:
    """An AWS set-up instead of keys: a profile of `.env` alone, in files that it names."""
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
    lines = [f"{name}={tmp_path / name}" for name in files]
    lines += ["AWS_PROFILE=lab", f"OS_ENDPOINT_URL={found.endpoint_url}"]
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
        with pytest.raises(SettingsError, match="the AWS set-up has no credentials either"):
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


# A server that takes connections and never answers.


#: Far more than the tries and the pauses between them take here.
LONG = 8.0


class Stalled:
    """Counts the connections that it leaves without an answer; hangs up in the end."""

    def __init__(self, seconds: float) -> None:
        self.connections: list[Any] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        self._end = threading.Timer(seconds, self.close)
        self._end.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.connections.append(self._socket.accept()[0])

    def close(self) -> None:
        self._end.cancel()
        for connection in [self._socket, *self.connections]:
            connection.close()


def test_a_server_that_never_answers_is_given_up(store: Project) -> None:
    waits, once_more = 0.3, {"total_max_attempts": 2, "mode": "standard"}
    asked: dict[str, Callable[[Settings], object]] = {
        "obstore": lambda settings: obstore.head(clients.obstore(settings), "k"),
        "botocore": lambda settings: clients.botocore(settings, retries=once_more).head_object(
            Bucket="b12", Key="k"
        ),
    }

    def give_up(client: str) -> tuple[int, float]:
        server = Stalled(LONG)
        changes = {"endpoint_url": f"http://127.0.0.1:{server.port}", "read_timeout": waits}
        settings = Settings.load(store).model_copy(update=changes)
        started = time.monotonic()
        try:
            with pytest.raises((BaseError, ReadTimeoutError, OSError)):
                asked[client](settings)
            return len(server.connections), time.monotonic() - started
        finally:
            server.close()

    with ThreadPoolExecutor() as pool:
        outcomes = dict(zip(asked, pool.map(give_up, asked), strict=True))
    for client, (connections, seconds) in outcomes.items():
        assert 1 < connections <= 1 + clients.RETRIES, client
        assert waits * connections <= seconds < LONG, client
    retries = clients.botocore(Settings.load(store)).meta.config.retries
    assert retries["total_max_attempts"] == 1 + clients.RETRIES


def test_a_slow_transfer_that_moves_is_not_given_up(store: Project) -> None:
    def slowly(_: Exchange, piece: bytes) -> bytes:
        time.sleep(0.3)
        return piece

    with PlainFront(Settings.load(store).port, change_body=slowly) as front:
        obstore.put(clients.obstore(Settings.load(store)), "slow/x", BIG[: 1024**2])
        changes = {"endpoint_url": front.url, "read_timeout": 0.9}
        settings = Settings.load(store).model_copy(update=changes)
        started = time.monotonic()
        assert bytes(obstore.get(clients.obstore(settings), "slow/x").bytes()) == BIG[: 1024**2]
        assert time.monotonic() - started > 0.9
        assert len(front.exchanges) == 1


# What programs are told.


def test_the_variables_of_the_aws_sdks(store: Project) -> None:
    settings = Settings.load(store)
    assert settings.secret_access_key
    assert clients.aws_environment(settings) == {
        "AWS_ACCESS_KEY_ID": settings.access_key_id,
        "AWS_SECRET_ACCESS_KEY": settings.secret_access_key.get_secret_value(),
        "AWS_ENDPOINT_URL": settings.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        "no_proxy": "127.0.0.1,localhost",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def test_aws_itself_is_found_by_region() -> None:
    settings = Settings(
        endpoint_url="https://s3.eu-west-1.amazonaws.com",
        is_aws=True,
        bucket_name="lab-data",
        access_key_id="id",
        secret_access_key=SecretStr("secret"),
        region="eu-west-1",
    )
    where = {"Bucket": "lab-data", "Key": "k"}
    urls = [
        clients.botocore(settings).generate_presigned_url("get_object", Params=where),
        obstore.sign(clients.obstore(settings), "GET", "k", pd.Timedelta(seconds=60)),
    ]
    for url in urls:
        assert re.match(r"https://lab-data\.s3(\.eu-west-1)?\.amazonaws\.com/k\?", url)
    told = clients.aws_environment(settings) | clients.s5cmd_environment(settings)
    assert not [name for name in told if "ENDPOINT" in name]
    assert clients.rclone_environment(settings)["RCLONE_CONFIG_STORAGE_PROVIDER"] == "AWS"


#: How mc takes MC_HOST_* apart: the second where it fits. Source: mc, cmd/config.go.
MC_KEYS = re.compile(r"^(https?://)(.*?):(.*)@(.*?)$")
MC_TOKEN = re.compile(r"^(https?://)(.*?):(.*?):(.*)@(.*?)$")


@pytest.mark.parametrize("secret", ["plain", "wJalr/K7+bPx==", "a@b@c", "100%"])
@pytest.mark.parametrize("token", [None, "t/o:k@en=="])
def test_mc_takes_apart_what_it_is_told(secret: str, token: str | None) -> None:
    settings = Settings(
        endpoint_url="https://s3.example.org:9000",
        bucket_name="lab-data",
        access_key_id="my-key",
        secret_access_key=SecretStr(secret),
        session_token=SecretStr(token) if token else None,
    )
    told = clients.mc_environment(settings)
    assert list(told) == ["MC_HOST_storage"]
    found = MC_TOKEN.match(told["MC_HOST_storage"]) or MC_KEYS.match(told["MC_HOST_storage"])
    assert found
    assert found.groups() == tuple(
        filter(None, ["https://", "my-key", secret, token, "s3.example.org:9000"])
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"access_key_id": "a:b"},  # pragma: allowlist secret
        {"access_key_id": None, "secret_access_key": None},
    ],
)
def test_mc_cannot_be_told_everything(store: Project, changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match="Use `mc alias set`, which asks for them"):
        clients.mc_environment(Settings.load(store).model_copy(update=changes))


@pytest.mark.skipif(not shutil.which("mc"), reason="mc is in no registry of Python packages")
def test_mc_lists_and_gets(settings: Settings) -> None:
    by_botocore(settings, "mc/x", b"x")
    variables = dict(os.environ) | clients.mc_environment(settings)
    path = f"{clients.ALIAS}/{settings.bucket_name}/mc/x"
    done = subprocess.run(["mc", "cat", path], env=variables, capture_output=True, check=True)
    assert done.stdout == b"x"


def test_importing_the_toolkit_imports_no_client() -> None:
    heavy = ("boto3", "botocore", "obstore", "pyarrow", "s3fs")
    look = f"import sys, bucket, bucket.clients; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
