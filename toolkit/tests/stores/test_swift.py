"""What tests rely on where they ask for Swift, or for TLS in front of a store."""

import hashlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import obstore
import psutil
import pytest
from botocore.exceptions import ClientError, SSLError
from obstore.exceptions import PermissionDeniedError

from dvc_bucket.base import ports
from tests import TESTS_ROOT
from tests.stores.access import StoreAccess
from tests.stores.plain_front import PlainFront, shifted_date
from tests.stores.swift import Swift
from tests.stores.tls import Authority, Front

#: The smallest part that S3 allows, but for the last.
PART = 5 * 1024**2


@pytest.fixture
def own_swift(tmp_path: Path) -> Iterator[Swift]:
    """A Swift that a test may end, not started."""
    made = Swift(tmp_path / "swift")
    yield made
    made.kill()


def test_it_listens_on_loopback_only(swift: Swift) -> None:
    connections = psutil.Process(swift.pid).net_connections()
    listening = [found.laddr for found in connections if found.status == psutil.CONN_LISTEN]
    assert len(listening) == 4
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert swift.port in {address.port for address in listening}


def test_a_secret_is_where_only_its_owner_can_read_it(swift: Swift) -> None:
    secret = swift.settings().secret_access_key
    assert secret
    holding = [
        path
        for path in swift.home.rglob("*")
        if path.is_file() and secret.get_secret_value().encode() in path.read_bytes()
    ]
    assert [path.stat().st_mode & 0o777 for path in holding] == [0o600]
    assert secret.get_secret_value() not in " ".join(psutil.Process(swift.pid).cmdline())


def test_a_wrong_secret_is_refused(remote_store: StoreAccess) -> None:
    client = remote_store.client(aws_secret_access_key="0" * 40)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client.list_objects_v2(Bucket=remote_store.bucket)


def test_a_multipart_upload_arrives_as_it_was_sent(remote_store: StoreAccess) -> None:
    client, where = remote_store.client(), {"Bucket": remote_store.bucket, "Key": "multipart/large"}
    data = os.urandom(2 * PART + 1)
    upload = {**where, "UploadId": client.create_multipart_upload(**where)["UploadId"]}
    parts = []
    for number, start in enumerate(range(0, len(data), PART), start=1):
        piece = data[start : start + PART]
        sent = client.upload_part(**upload, PartNumber=number, Body=piece)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    found = client.get_object(**where)["Body"].read()
    assert hashlib.sha256(found).digest() == hashlib.sha256(data).digest()
    assert remote_store.keys("multipart/") == ["multipart/large"]


def test_the_second_user_reads_and_does_not_write(swift: Swift) -> None:
    obstore.put(swift.settings().obstore(), "read-only/large", b"x" * (2 * PART), chunk_size=PART)
    reader = swift.settings(Swift.READER).obstore()
    assert obstore.get(reader, "read-only/large").bytes() == b"x" * (2 * PART)
    assert [entry["path"] for batch in obstore.list(reader, "read-only") for entry in batch]
    with pytest.raises(PermissionDeniedError):
        obstore.put(reader, "read-only/more", b"")


def test_data_survives_kill_9(own_swift: Swift) -> None:
    store = own_swift.start().settings().obstore()
    for number in range(20):
        obstore.put(store, f"key/{number}", b"%d" % number)
    own_swift.kill()
    own_swift.start()
    assert obstore.get(store, "key/19").bytes() == b"19"
    assert sum(map(len, obstore.list(store, "key"))) == 20


def test_a_failed_start_says_why_and_leaves_no_process(own_swift: Swift) -> None:
    with (
        socket.create_server((ports.ADDRESS, own_swift.port)),
        pytest.raises(RuntimeError, match="Address already in use"),
    ):
        own_swift.start()
    assert not [one for one in psutil.process_iter(["cmdline"]) if _is_of(own_swift, one)]


def test_it_ends_with_the_tests_even_if_they_are_killed(own_swift: Swift) -> None:
    program = f"""
import time
from pathlib import Path
from tests.stores.swift import Swift
print(Swift(Path({str(own_swift.home)!r})).start().pid, flush=True)
time.sleep(60)
"""
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=TESTS_ROOT, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        running = psutil.Process(int(tests.stdout.readline()))
        assert _is_of(own_swift, running)
        tests.send_signal(signal.SIGKILL)
    psutil.wait_procs([running], timeout=5)
    assert not _is_of(own_swift, running)


def _is_of(swift: Swift, process: psutil.Process) -> bool:
    try:
        return str(swift.home) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_a_client_that_does_not_trust_the_authority_is_not_served(
    remote_store: StoreAccess,
) -> None:
    with pytest.raises(SSLError, match="certificate verify failed"):
        remote_store.client(verify=True).list_buckets()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("expired", "certificate has expired"),
        ("not_yet_valid", "certificate is not yet valid"),
        ("wrong_name", "not valid for '127.0.0.1'"),
        ("self_signed", "self-signed certificate"),
    ],
)
def test_a_bad_certificate_is_seen_as_what_it_is(
    swift: Swift, authority: Authority, kind: str, reason: str
) -> None:
    trusting = ssl.create_default_context(cafile=authority.bundle)
    with (
        Front(swift.port, getattr(authority, kind)()) as front,
        socket.create_connection((ports.ADDRESS, front.port)) as connection,
        pytest.raises(ssl.SSLCertVerificationError) as refusal,
    ):
        trusting.wrap_socket(connection, server_hostname=ports.ADDRESS)
    assert reason in refusal.value.verify_message


def test_many_connections_pass_the_front_at_once(remote_store: StoreAccess) -> None:
    client = remote_store.client()
    data = os.urandom(1024**2)
    client.put_object(Bucket=remote_store.bucket, Key="parallel/object", Body=data)

    def read(_: int) -> bool:
        found = client.get_object(Bucket=remote_store.bucket, Key="parallel/object")
        return bool(found["Body"].read() == data)

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(read, range(64)))


def test_a_stopped_front_hangs_up(swift: Swift, authority: Authority) -> None:
    trusting = ssl.create_default_context(cafile=authority.bundle)
    with Front(swift.port, authority.good()) as front:
        plain = socket.create_connection((ports.ADDRESS, front.port), timeout=5)
        connection = trusting.wrap_socket(plain, server_hostname=ports.ADDRESS)
        start = time.monotonic()
    with connection:
        assert connection.recv(1) == b""
    assert time.monotonic() - start < 2
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((ports.ADDRESS, front.port))


def test_a_plain_front_counts_and_changes_the_date(swift: Swift) -> None:
    ahead = timedelta(hours=1)
    with PlainFront(swift.port, shifted_date(ahead)) as front:
        settings = swift.settings().model_copy(update={"endpoint_url": front.url})
        store = settings.obstore()
        obstore.put(store, "counted/object", b"x" * 1000)
        assert obstore.head(store, "counted/object")["size"] == 1000
        assert obstore.get(store, "counted/object").bytes() == b"x" * 1000
        with socket.create_connection((ports.ADDRESS, front.port)) as connection:
            connection.sendall(b"GET /info HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = connection.recv(65536).decode().split("\r\n")
    put, head_only, get, info = front.exchanges
    assert (put.method, put.status, put.sent) == ("PUT", 200, 1000)
    assert (head_only.method, head_only.status, head_only.received) == ("HEAD", 200, 0)
    assert (get.method, get.status, get.received) == ("GET", 200, 1000)
    assert get.path.endswith("/counted/object")
    assert info.status == 200
    date = next(line for line in head if line.startswith("Date: ")).removeprefix("Date: ")
    assert abs(parsedate_to_datetime(date) - datetime.now(UTC) - ahead) < timedelta(seconds=10)
