"""A running OpenStack Swift of a test's own: start, stop, kill, and the two users it knows."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from dvc_bucket import Settings
from dvc_bucket.base.ports import ADDRESS, free_ports
from dvc_bucket.store import seaweed
from tests import TESTS_ROOT
from tests.stores.swift_server import credentials

#: A start takes about 1 s; a loaded CI machine is given many times that.
READY_SECONDS = 40.0

#: Lines of the log that a message about a failed start quotes.
LOG_LINES = 15


class Swift:
    """Swift with one bucket, on loopback.

    Attributes:
        home: its data, credentials and log.
        port: of the S3 API and of Swift's own API; the same at every start.
        bucket: the bucket that is there when `start` returns.
        log: what the server said since its last start.
    """

    #: May do anything. As on every Swift with this kind of users, the key holds a colon.
    OWNER = "test:tester"
    #: May list the bucket and read its objects, and nothing else.
    READER = "test:reader"

    def __init__(self, home: Path, bucket: str = "research-data") -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.port = free_ports(1)[0]
        self.bucket = bucket
        self.log = home / "swift.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint_url(self) -> str:
        return f"http://{ADDRESS}:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "Swift is not started"
        return self._process.pid

    def settings(self, user: str = OWNER) -> Settings:
        """The connection to the bucket as one of the two users."""
        return Settings(
            endpoint_url=self.endpoint_url,
            bucket_name=self.bucket,
            access_key_id=user,
            secret_access_key=SecretStr(credentials(self.home)[user]),
        )

    def start(self) -> Self:
        """Start it, and return when the bucket is there for both users.

        Raises:
            RuntimeError: it ended, or is not ready after a long time; with its last words.
        """
        assert self._process is None, "Swift is started already"
        credentials(self.home)
        command = [sys.executable, "-m", "tests.stores.swift_server"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--home", self.home, "--port", str(self.port)],
                cwd=TESTS_ROOT,
                env={"PATH": os.defpath},
                # It ends when our end of this pipe closes, which not even `kill -9` can prevent.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop it
            )
        try:
            self._wait_until_ready()
            self._grant_reading()
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End it and wait for that; its data stays. Nothing to do where it does not run."""
        if self._process:
            self._process.terminate()
            self._forget()

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._forget()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _forget(self) -> None:
        assert self._process is not None
        self._process.communicate(timeout=10)
        self._process = None

    def _wait_until_ready(self) -> None:
        """Until it says so itself, and a request with our own key finds the bucket."""
        assert self._process is not None
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"Swift ended: {self._last_words()}")
            # Not by whether the port answers, which can be another's.
            if self.endpoint_url in self.log.read_text() and seaweed.is_ready(self.settings()):
                return
            time.sleep(0.02)
        raise RuntimeError(f"Swift is not ready after {READY_SECONDS:.0f} s: {self._last_words()}")

    def _grant_reading(self) -> None:
        """Let the second user read the bucket, in Swift's own API: S3's has no word for it.

        Parts of large objects are in a bucket beside it, to which Swift's S3 copies the right.
        """
        self._let_read(self.bucket, self.READER)

    def let_everybody_read(self, bucket: str, *, list_too: bool = True) -> None:
        """Let people without keys read a bucket below `/v1/AUTH_test`, and list it."""
        self._let_read(bucket, ".r:*,.rlistings" if list_too else ".r:*")

    def _let_read(self, bucket: str, who: str) -> None:
        user = {"X-Auth-User": self.OWNER, "X-Auth-Key": credentials(self.home)[self.OWNER]}
        token = self._request("GET", "/auth/v1.0", user)["X-Auth-Token"]
        right = {"X-Auth-Token": token, "X-Container-Read": who}
        self._request("POST", f"/v1/AUTH_test/{bucket}", right)

    def _request(self, method: str, path: str, headers: dict[str, str]) -> http.client.HTTPMessage:
        """Headers of the answer to a request in Swift's own API."""
        connection = http.client.HTTPConnection(ADDRESS, self.port, timeout=READY_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"Swift answers {answer.status} to {method} {path}")
        return answer.headers

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(["", *lines[-LOG_LINES:]])
