"""What a test is told of a remote store, whichever it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dvc_bucket import Settings


@dataclass(frozen=True)
class StoreAccess:
    """A running store behind TLS that its `ca_bundle` vouches for, with one bucket.

    All tests of a session share the bucket: each keeps to a prefix of its own.
    """

    name: str
    endpoint_url: str
    bucket: str
    access_key_id: str
    secret_access_key: str
    ca_bundle: Path

    @classmethod
    def through(
        cls, name: str, endpoint_url: str, settings: Settings, ca_bundle: Path
    ) -> "StoreAccess":
        """The store of `settings`, reached by another URL."""
        assert settings.access_key_id
        assert settings.secret_access_key
        secret = settings.secret_access_key.get_secret_value()
        return cls(
            name, endpoint_url, settings.bucket_name, settings.access_key_id, secret, ca_bundle
        )

    @property
    def env(self) -> dict[str, str]:
        """The settings, as a user would put them in the environment or in `.env`."""
        return {
            "OS_ENDPOINT_URL": self.endpoint_url,
            "OS_BUCKET_NAME": self.bucket,
            "OS_ACCESS_KEY_ID": self.access_key_id,
            "OS_SECRET_ACCESS_KEY": self.secret_access_key,
            "OS_REGION": "us-east-1",
            "OS_CACERT": str(self.ca_bundle),
        }

    def client(self, **changes: Any) -> Any:
        """A botocore client, which owes nothing to the code under test.

        Making one takes longer than all that a test asks of it, so the usual one is made once.
        """
        return self._made(**changes) if changes else _usual(self)

    def _made(self, **changes: Any) -> Any:
        from botocore.config import Config
        from botocore.session import Session

        options = {
            "endpoint_url": self.endpoint_url,
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "region_name": "us-east-1",
            "verify": str(self.ca_bundle),
            "config": Config(
                retries={"max_attempts": 0},
                proxies={},
                request_checksum_calculation="when_required",  # rclone takes no trailers
            ),
        }
        return Session().create_client("s3", **(options | changes))

    def keys(self, prefix: str) -> Sequence[str]:
        """Keys of the objects below `prefix`, up to a thousand."""
        found = self.client().list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", [])]


@lru_cache
def _usual(store: StoreAccess) -> Any:
    return store._made()
