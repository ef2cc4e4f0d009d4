"""Nobody reads, lists, writes or deletes an object of the embedded store but through S3."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import obstore
import psutil
import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import ServerError
from dvc_bucket.base.files import write_private
from dvc_bucket.connection.env_file import create_env
from dvc_bucket.store import seaweed
from dvc_bucket.store import security as store_security
from dvc_bucket.store.server import Server
from tests.bucket.store_tools import get, pid_of, put
from tests.safety.conftest import Stranger

Caller = Callable[[Callable[[], Any]], Any]

KEY, BYTES = "guarded/measurements.csv", b"bytes that nobody else may see"

#: What reads, lists, writes or deletes on one of the inner ports of a store that is not locked.
REQUESTS = [
    ("GET", "/"),
    ("GET", "/status"),
    ("GET", "/healthz"),
    ("GET", "/dir/status"),
    ("GET", "/dir/lookup?volumeId=1&fileId=1,01"),
    ("GET", "/dir/assign?count=1"),
    ("GET", "/vol/grow?count=1"),
    ("GET", "/col/delete?collection=research-data"),
    ("GET", "/1,0112345678"),
    ("DELETE", "/1,0112345678"),
    ("POST", "/1,0112345678"),
    ("GET", "/buckets/research-data/?pretty=y"),
    ("GET", f"/buckets/research-data/{KEY}"),
    ("PUT", f"/buckets/research-data/{KEY}"),
    ("DELETE", "/buckets/research-data/?recursive=true"),
    ("GET", "/debug/pprof/"),
    ("GET", "/metrics"),
]

#: The start of every HTTP/2 connection, and so of gRPC, with empty settings.
HTTP2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)

#: All that Go's TLS servers say to somebody who does not speak TLS: a sentence, or an alert.
NO_TLS = b"Client sent an HTTP request to an HTTPS server.\n"
ALERT = b"\x15\x03"


@pytest.fixture(params=["the same user", "a stranger"])
def caller(request: pytest.FixtureRequest) -> Caller:
    if request.param == "the same user":
        return lambda function: function()
    stranger: Stranger = request.getfixturevalue("stranger")
    return stranger.call


def listening(project: Project) -> list[int]:
    """The ports on which the processes of a store listen, S3's left out."""
    process = psutil.Process(pid_of(project))
    members = [process, *process.children(recursive=True)]
    found = [c for member in members for c in member.net_connections("inet")]
    ports = {c.laddr.port for c in found if c.status == psutil.CONN_LISTEN}
    return sorted(ports - {Settings.load(project).port})


def asked_in_plain(port: int) -> Iterator[bytes]:
    """The whole answers of a port to HTTP and to gRPC."""
    lines = [f"{verb} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for verb, path in REQUESTS]
    for message in [*lines, HTTP2]:
        answer = b""
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            try:
                connection.sendall(message)
                while received := connection.recv(4096):
                    answer += received
            except ConnectionError:
                pass
        yield answer


def asked_over_tls(port: int, context: ssl.SSLContext) -> list[bytes]:
    """The answers that come with HTTP/1 and with gRPC; a refusal is none."""
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    answers = []
    for protocol, message in (("http/1.1", b"GET / HTTP/1.0\r\n\r\n"), ("h2", HTTP2)):
        context.set_alpn_protocols([protocol])
        try:
            with (
                socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
                context.wrap_socket(plain) as encrypted,
            ):
                encrypted.sendall(message)
                answers.append(encrypted.recv(4096))
        except (ssl.SSLError, ConnectionError):
            pass
    return [answer for answer in answers if answer]


def test_every_inner_port_tells_nothing_to_http_and_grpc_in_plain(
    store: Project, caller: Caller
) -> None:
    put(store, KEY, BYTES)
    ports = listening(store)
    assert len(ports) == 9
    answers = caller(lambda: [answer for port in ports for answer in asked_in_plain(port)])
    told = [a for a in answers if a and not a.startswith(ALERT) and not a.endswith(NO_TLS)]
    assert told == []
    assert get(store, KEY) == BYTES
    assert [item["path"] for item in obstore.list(Settings.load(store).obstore()).collect()]


def test_every_inner_port_tells_nothing_over_tls_without_the_stores_certificate(
    store: Project, caller: Caller, good_certificate: Path
) -> None:
    ports = listening(store)
    without = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with_another = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with_another.load_cert_chain(good_certificate)
    answers = caller(
        lambda: [asked_over_tls(port, c) for port in ports for c in (without, with_another)]
    )
    assert answers == [[]] * 18


def test_a_stranger_cannot_enter_the_folder_or_the_sockets_of_the_store(
    store: Project, stranger: Stranger
) -> None:
    sockets = [Path(path) for path in seaweed.sockets(psutil.Process(pid_of(store)))]
    assert len(sockets) == 5
    assert all(path.exists() for path in sockets)
    sockets += [store.store / "filer.sock", store.store / "s3.sock"]

    def connected() -> list[str]:
        through = []
        for path in sockets:
            try:
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(str(path))
                through.append(str(path))
            except PermissionError:
                pass
        return through

    assert stranger.call(connected) == []
    assert stranger.run("cat", store.store / store_security.KEY).returncode != 0


@pytest.mark.parametrize("verb", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/research-data", f"/research-data/{KEY}"])
def test_a_web_page_of_another_site_gets_no_answer_that_it_may_read(
    store: Project, verb: str, path: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", Settings.load(store).port, timeout=5)
    origin = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    connection.request(verb, path, headers=origin)
    try:
        answer = connection.getresponse()
    except http.client.RemoteDisconnected:
        return
    assert answer.getheader("Access-Control-Allow-Origin") is None
    assert answer.status == 403 or not answer.read()


@contextmanager
def unlocked(project: Project) -> Iterator[int]:
    """The process of a store as an earlier version started it: tokens, and no certificate."""
    project.store.mkdir(mode=0o700)
    create_env(project)
    settings = Settings.load(project)
    seaweed._write_configuration(project, settings)
    configuration = project.store / "security.toml"
    write_private(configuration, configuration.read_text().partition("[grpc]")[0])
    options = [option for option in seaweed._options(settings.port) if option != "-disableHttp"]
    with subprocess.Popen(
        [seaweed.binary(), "mini", *options],
        cwd=project.store,
        env={"PATH": os.defpath, "HOME": str(project.store)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        umask=0o077,
    ) as old:
        try:
            deadline = time.monotonic() + 40
            while not seaweed.is_ready(settings):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            state = {"pid": old.pid, "endpoint": settings.endpoint_url, "bucket": "research-data"}
            project.store_state.write_text(json.dumps(state))
            yield old.pid
        finally:
            old.kill()


def test_a_store_that_an_earlier_version_left_open_is_replaced_and_its_data_stays(
    project: Project,
) -> None:
    with unlocked(project) as pid:
        put(project, KEY, BYTES)
        assert Server(project).start().started
        assert pid_of(project) != pid
    assert get(project, KEY) == BYTES


def test_the_open_store_of_another_clone_is_not_used(
    project: Project, new_project: Callable[[str], Project]
) -> None:
    second = new_project("second")
    with unlocked(project):
        shutil.copy(project.env_file, second.env_file)
        with pytest.raises(ServerError, match=rf"`make stop` and `make serve` in {project.root}"):
            Server(second).start()


def test_the_stores_own_worker_which_frees_deleted_space_is_let_in(store: Project) -> None:
    deadline = time.monotonic() + 20
    while "Worker registered successfully" not in store.store_log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
