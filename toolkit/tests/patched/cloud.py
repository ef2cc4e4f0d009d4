"""A folder of a real bucket, as DVC's published test suites want to be given one."""

import secrets
from typing import Any

from dvc.testing.cloud import Cloud
from dvc.testing.path_info import CloudURLInfo

from dvc_bucket import Settings
from dvc_bucket.connection import clients


class BucketFolder(Cloud, CloudURLInfo):  # type: ignore[misc] # neither has types
    """`folder / name` is an object or a folder; what is in the store is asked for with botocore."""

    IS_OBJECT_STORAGE = True

    _settings: Settings
    _client: Any

    @classmethod
    def new(cls, settings: Settings) -> "BucketFolder":
        """A folder that no other test has."""
        return cls.at(settings, f"suite-{secrets.token_hex(6)}")

    @classmethod
    def at(cls, settings: Settings, prefix: str) -> "BucketFolder":
        folder = cls(f"s3://{settings.bucket_name}/{prefix}")
        folder._settings, folder._client = settings, clients.botocore(settings)
        return folder

    def __truediv__(self, key: str) -> "BucketFolder":
        inner: BucketFolder = super().__truediv__(key)
        inner._settings, inner._client = self._settings, self._client
        return inner

    @property
    def config(self) -> dict[str, str]:
        assert self._settings.access_key_id
        assert self._settings.secret_access_key
        return {
            "url": str(self),
            "endpointurl": self._settings.endpoint_url,
            "access_key_id": self._settings.access_key_id,
            "secret_access_key": self._settings.secret_access_key.get_secret_value(),
        }

    @property
    def fs_path(self) -> str:
        return f"{self.bucket}/{self.path.lstrip('/')}"

    def all_keys(self) -> list[str]:
        """Keys of every object below."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=(self / "").path
        )
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def is_file(self) -> bool:
        found = self._client.list_objects_v2(Bucket=self.bucket, Prefix=self.path, MaxKeys=1)
        return any(entry["Key"] == self.path for entry in found.get("Contents", []))

    def is_dir(self) -> bool:
        return bool(self.all_keys())

    def exists(self) -> bool:
        return self.is_file() or self.is_dir()

    def mkdir(self, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        """A bucket has no folders to make."""

    def write_bytes(self, contents: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=self.path, Body=contents)

    def read_bytes(self) -> bytes:
        found: bytes = self._client.get_object(Bucket=self.bucket, Key=self.path)["Body"].read()
        return found

    def unlink(self, missing_ok: bool = False) -> None:
        if not (missing_ok or self.exists()):
            raise FileNotFoundError(str(self))
        self._client.delete_object(Bucket=self.bucket, Key=self.path)

    def rmdir(self, recursive: bool = True) -> None:
        assert recursive
        for key in self.all_keys():
            self._client.delete_object(Bucket=self.bucket, Key=key)
