"""A running `rclone serve s3` of a test's own: S3 in front of a folder, with ways of its own.

It sends ranges with status 200, ignores conditions of a PUT, and lists what it likes in one page.
Many groups put it before a disk or another cloud.
"""

import http.client
import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from dvc_bucket import Settings
from dvc_bucket.base.ports import ADDRESS, free_ports
from tests.clones import TOOLS

#: A start takes 0.1 to 0.3 s.
READY_SECONDS = 20.0


class Rclone:
    """`rclone serve s3` with one bucket, on loopback.

    Attributes:
        home: the folder whose folders are its buckets.
        port: of the S3 API.
        bucket: the bucket that is there.
    """

    def __init__(self, home: Path, bucket: str = "research-data") -> None:
        (home / bucket).mkdir(parents=True)
        self.home, self.bucket = home, bucket
        self.port = free_ports(1)[0]
        self._key, self._secret = secrets.token_hex(10), secrets.token_hex(20)
        self._process: subprocess.Popen[bytes] | None = None

    def settings(self) -> Settings:
        """The connection to the bucket."""
        return Settings(
            endpoint_url=f"http://{ADDRESS}:{self.port}",
            bucket_name=self.bucket,
            access_key_id=self._key,
            secret_access_key=SecretStr(self._secret),
        )

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [TOOLS / "rclone", "serve", "s3", "--addr", f"{ADDRESS}:{self.port}", self.home],
            env={
                "PATH": os.defpath,
                "HOME": str(self.home.parent),
                # A list of lists: both signs belong to its form.
                "RCLONE_AUTH_KEY": f'"{self._key},{self._secret}"',
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + READY_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "rclone has ended"
            assert time.monotonic() < until, "rclone is not ready"
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(ADDRESS, self.port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            return False
        finally:
            connection.close()
        return True
