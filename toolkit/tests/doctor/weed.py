"""A SeaweedFS of the tests' own with several keys, each with other rights on its one bucket."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import psutil
from botocore.session import Session
from pydantic import SecretStr

from dvc_bucket import Settings
from dvc_bucket.base.files import write_private
from dvc_bucket.base.ports import ADDRESS, free_ports
from dvc_bucket.store import seaweed

#: What each key may do, in SeaweedFS's own words. Without a bucket's name it is every bucket.
ACTIONS = {
    "owner": ["Admin", "Read", "Write", "List", "Tagging"],
    "reader": ["Read", "List"],
    "writer": ["Write"],
    "lister": ["List"],
    "stranger": [f"{action}:another-bucket" for action in ("Read", "Write", "List")],
}

#: Host names below which the store takes the first part for a bucket.
DOMAIN = "store.example.org"

READY_SECONDS = 40.0

#: Runs a command until standard input ends: with the tests, even if they are killed.
GUARDED = '"$@" </dev/null & read -r _; kill -9 $!; wait'

#: What its STS calls a role.
ROLE = "arn:aws:iam::role/"


class Weed:
    """SeaweedFS with one bucket, on loopback, plain http.

    Attributes:
        home: its data, credentials and log.
        port: of the S3 API.
        bucket: the bucket that is there when `start` returns.
    """

    def __init__(self, home: Path, bucket: str = "research-data") -> None:
        self.home, self.bucket = home, bucket
        self.port = free_ports(1)[0]
        self._token_key = secrets.token_bytes(32)
        self._keys = {user: (secrets.token_hex(10), secrets.token_hex(20)) for user in ACTIONS}
        self._process: subprocess.Popen[bytes] | None = None

    def settings(self, user: str = "owner") -> Settings:
        """The connection to the bucket as one of the users."""
        key, secret = self._keys[user]
        return Settings(
            endpoint_url=f"http://{ADDRESS}:{self.port}",
            bucket_name=self.bucket,
            access_key_id=key,
            secret_access_key=SecretStr(secret),
            region="us-east-1",
        )

    def session(self, role: str = "Everything", *, ended: bool = False) -> Settings:
        """The connection with credentials that its STS gives out for a quarter of an hour.

        Args:
            role: `Everything` or `NoDelete`.
            ended: with a token whose time is over, signed with the store's own key.
        """
        owner = self.settings()
        assert owner.secret_access_key
        client = Session().create_client(
            "sts",
            endpoint_url=owner.endpoint_url,
            aws_access_key_id=owner.access_key_id,
            aws_secret_access_key=owner.secret_access_key.get_secret_value(),
            region_name=owner.region,
        )
        got = client.assume_role(RoleArn=ROLE + role, RoleSessionName="me", DurationSeconds=900)
        keys = got["Credentials"]
        token = self._ended(keys["SessionToken"]) if ended else keys["SessionToken"]
        return owner.model_copy(
            update={
                "access_key_id": keys["AccessKeyId"],
                "secret_access_key": SecretStr(keys["SecretAccessKey"]),
                "session_token": SecretStr(token),
            }
        )

    def _ended(self, token: str) -> str:
        """The same token, but that it ended a minute ago."""
        head, claims, _ = token.split(".")
        content = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        content["exp"] = int(time.time()) - 60
        signed = f"{head}.{_base64(json.dumps(content).encode())}"
        return f"{signed}.{_base64(hmac.digest(self._token_key, signed.encode(), hashlib.sha256))}"

    def start(self) -> Self:
        """Start it, and return when the bucket is there."""
        (self.home / "data").mkdir(parents=True, mode=0o700)
        write_private(self.home / "identities.json", json.dumps(self._identities()))
        write_private(self.home / "iam.json", json.dumps(self._iam()))
        options = [
            option
            for option in seaweed._options(self.port)
            if not option.startswith(("-s3.iam=", "-s3.iam.config="))
        ]
        more = [f"-s3.domainName={DOMAIN}", "-s3.iam=true", "-s3.iam.config=iam.json"]
        with (self.home / "weed.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "sh",
                    "-c",
                    GUARDED,
                    "sh",
                    seaweed.binary(),
                    "-logtostderr=true",
                    "mini",
                    *options,
                    *more,
                ],
                cwd=self.home,
                env={"PATH": os.defpath, "HOME": str(self.home)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not seaweed.is_ready(self.settings()):
            assert time.monotonic() < deadline, seaweed.last_line(self.home / "weed.log")
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """End it; its data is thrown away."""
        if self._process:
            left = seaweed.sockets(psutil.Process(self._process.pid))
            self._process.communicate(timeout=10)
            seaweed.remove_sockets(left)
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _identities(self) -> dict[str, Any]:
        return {
            "identities": [
                {
                    "name": user,
                    "credentials": [dict(zip(("accessKey", "secretKey"), keys, strict=True))],
                    "actions": ACTIONS[user],
                }
                for user, keys in self._keys.items()
            ]
        }

    def _iam(self) -> dict[str, Any]:
        """What its STS needs, which gives out credentials that expire."""
        allow = {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}
        deny = {"Effect": "Deny", "Action": ["s3:DeleteObject"], "Resource": ["*"]}
        anybody = {"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole"]}
        policies = {"Everything": [allow], "NoDelete": [allow, deny]}
        return {
            "sts": {
                "tokenDuration": "1h",
                "maxSessionLength": "12h",
                "issuer": "seaweedfs-sts",
                "signingKey": base64.b64encode(self._token_key).decode(),
            },
            "policy": {"defaultEffect": "Deny", "storeType": "memory"},
            "roles": [
                {
                    "roleName": name,
                    "roleArn": f"{ROLE}{name}",
                    "trustPolicy": _policy(anybody),
                    "attachedPolicies": [name],
                }
                for name in policies
            ],
            "policies": [
                {"name": name, "document": _policy(*rules)} for name, rules in policies.items()
            ],
        }


def _policy(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(rules)}


def _base64(data: bytes) -> str:
    """As in a JSON Web Token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
