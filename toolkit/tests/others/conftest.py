"""Projects of other people: on a bucket that anybody may read, and on one with keys of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dvc_bucket.base.files import write_private
from dvc_bucket.cli.app import app
from tests.clones import TOOLS, Clone
from tests.stores.access import StoreAccess
from tests.stores.fixtures import access
from tests.stores.swift import Swift
from tests.verify.published import Published, empty, publish, s3

#: A bucket that anybody may read; the tests' other buckets stay private.
BUCKET = "public-data"


@dataclass(frozen=True)
class Public:
    """A project whose data anybody may read, and how a reader without keys names its store.

    Attributes:
        origin: the publisher's clone.
        settings: the reader's `.env`.
    """

    origin: Published
    settings: Mapping[str, str]

    def reader(self, folder: Path) -> Published:
        """A fresh clone of somebody who has no keys."""
        root = folder / "reader"
        self.origin.git("clone", "-q", str(self.origin.root), str(root))
        (root / ".venv").symlink_to(TOOLS.parent)
        text = "".join(f"{name}={value}\n" for name, value in self.settings.items())
        write_private(root / ".env", text)
        return Published(root, self.origin.store, self.origin.prefix)


def bucket(clone: Clone, *words: str, **variables: str) -> Any:
    """Run `bucket` in a clone; whatever it ends with."""
    return clone.run(str(TOOLS / "bucket"), *words, check=False, **variables)


def word(*words: str) -> Any:
    """Run a word of `bucket` in this process and folder, which takes a tenth of the time."""
    return CliRunner().invoke(app, list(words))


def _open_seaweed(store: StoreAccess) -> None:
    """What docs/sharing.md has for AWS, Ceph and SeaweedFS."""
    everybody = {"Effect": "Allow", "Principal": "*"}
    resource = f"arn:aws:s3:::{store.bucket}"
    policy = [
        everybody | {"Action": "s3:GetObject", "Resource": f"{resource}/*"},
        everybody | {"Action": "s3:ListBucket", "Resource": resource},
    ]
    text = json.dumps({"Version": "2012-10-17", "Statement": policy})
    s3(store).put_bucket_policy(Bucket=store.bucket, Policy=text)


@pytest.fixture(scope="session", params=("seaweed", "swift"))
def public(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Public:
    """The same project on each store, in a bucket that anybody may read."""
    store = replace(access(request, request.param), bucket=BUCKET)
    s3(store).create_bucket(Bucket=BUCKET)
    endpoint = store.endpoint_url
    if request.param == "seaweed":
        _open_seaweed(store)
    else:
        swift: Swift = request.getfixturevalue("swift")
        swift.let_everybody_read(BUCKET)
        endpoint += "/v1/AUTH_test"
    origin = empty(tmp_path_factory.mktemp(request.param) / "origin", store)
    publish(origin)
    settings = {
        "OS_ENDPOINT_URL": endpoint,
        "OS_BUCKET_NAME": BUCKET,
        "OS_CACERT": str(store.ca_bundle),
        "OS_ANONYMOUS": "1",
    }
    return Public(origin, settings)


@pytest.fixture(scope="session")
def public_clone(public: Public, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """A reader's clone without data, for tests that bring none into it."""
    return public.reader(tmp_path_factory.mktemp("reader"))
