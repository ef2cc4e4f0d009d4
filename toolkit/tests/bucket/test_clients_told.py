"""What programs are told, and how long a client waits for a server that does not answer."""

import contextlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import obstore
import pandas as pd
import pytest
from botocore.exceptions import ReadTimeoutError
from obstore.exceptions import BaseError
from pydantic import SecretStr

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection import clients
from tests.bucket.client_tools import BIG
from tests.stores.plain_front import Exchange, PlainFront

pytestmark = pytest.mark.usefixtures("home")


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
            with contextlib.suppress(OSError):  # to close it alone would not end its accept()
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def test_a_server_that_never_answers_is_given_up(store: Project) -> None:
    waits, once_more = 0.3, {"total_max_attempts": 2, "mode": "standard"}
    asked: dict[str, Callable[[Settings], object]] = {
        "obstore": lambda settings: clients.obstore(settings).head("k"),
        "botocore": lambda settings: clients.botocore(settings, retries=once_more).head_object(
            Bucket="b12", Key="k"
        ),
    }

    def give_up(client: str) -> tuple[int, float]:
        server = Stalled(LONG)
        changes = {"endpoint_url": f"http://127.0.0.1:{server.port}", "read_timeout": waits}
        changes["retry_seconds"] = 1
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
        assert 1 < connections < LONG / waits, client
        assert waits * connections <= seconds < LONG, client
    here = Settings.load(store)
    away = here.model_copy(update={"endpoint_url": "https://s3.example.org"})
    never = away.model_copy(update={"retry_seconds": 0})
    retries = [clients.botocore(each).meta.config.retries for each in (here, away, never)]
    assert [each["total_max_attempts"] for each in retries] == [4, 17, 1]
    assert {each["mode"] for each in retries} == {"adaptive"}


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


def test_importing_the_toolkit_imports_no_client() -> None:
    heavy = ("boto3", "botocore", "obstore", "pyarrow", "s3fs")
    look = (
        "import sys, dvc_bucket, dvc_bucket.connection.clients; "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
