"""DVC inside this process, with the file system under test in its place, on two real stores."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dvc.testing.fixtures import (  # noqa: F401 (fixtures: pytest finds them by name here)
    copy_script,
    dvc,
    local_cloud,
    local_remote,
    local_workspace,
    make_cloud,
    make_cloud_version_aware,
    make_local,
    make_remote,
    make_remote_version_aware,
    make_remote_worktree,
    make_tmp_dir,
    make_workspace,
    run_copy,
    scm,
    tmp_dir,
)

from dvc_bucket import Project, Settings
from dvc_bucket.connection import clients
from dvc_bucket.dvc.patched import install
from tests.patched.cloud import BucketFolder
from tests.stores.fixtures import STORES


@pytest.fixture
def fast() -> Iterator[None]:
    """DVC of this process moves S3's bytes by the fast way."""
    assert install.install() == ""
    yield
    install.uninstall()


@pytest.fixture(scope="session")
def worker_id() -> str:
    """Of pytest-xdist, which DVC's fixtures expect."""
    return ""


@pytest.fixture(scope="package")
def home_without_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No DVC, AWS or git settings of whoever runs the tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        for name in ("SYSTEM_CONFIG", "GLOBAL_CONFIG", "SITE_CACHE"):
            patch.setenv(f"DVC_{name}_DIR", str(home))
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("GIT_AUTHOR_NAME", "Test")
        patch.setenv("GIT_AUTHOR_EMAIL", "test@example.org")
        patch.setenv("GIT_COMMITTER_NAME", "Test")
        patch.setenv("GIT_COMMITTER_EMAIL", "test@example.org")
        for name, value in clients.CHECKSUMS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="package", params=STORES)
def settings(request: pytest.FixtureRequest) -> Settings:
    """The connection to each of the two stores in turn, plain http."""
    request.getfixturevalue("home_without_settings")
    if request.param == "swift":
        connection: Settings = request.getfixturevalue("swift").settings()
        return connection
    project: Project = request.getfixturevalue("store")
    return Settings.load(project)


@pytest.fixture
def make_s3(settings: Settings) -> Callable[[], BucketFolder]:
    """Makes folders of the bucket, each for one remote."""
    return lambda: BucketFolder.new(settings)


@pytest.fixture
def cloud(make_cloud: Any) -> Any:  # noqa: F811
    return make_cloud(typ="s3")


@pytest.fixture
def remote(make_remote: Any) -> Any:  # noqa: F811
    return make_remote(name="upstream", typ="s3")


@pytest.fixture
def workspace(make_workspace: Any) -> Any:  # noqa: F811
    return make_workspace(name="workspace", typ="s3")


@pytest.fixture
def make_s3_version_aware(settings: Settings) -> Callable[[], BucketFolder]:
    """The same in a bucket beside it that keeps versions."""
    import botocore.exceptions

    versioned = settings.model_copy(update={"bucket_name": f"{settings.bucket_name}-versioned"})
    client = clients.botocore(versioned)
    with contextlib.suppress(botocore.exceptions.ClientError):
        client.create_bucket(Bucket=versioned.bucket_name)
    client.put_bucket_versioning(
        Bucket=versioned.bucket_name, VersioningConfiguration={"Status": "Enabled"}
    )
    return lambda: BucketFolder.new(versioned)


@pytest.fixture(scope="package")
def seaweed(store: Project, request: pytest.FixtureRequest) -> Settings:
    """The connection to one of the two, for tests that one is enough for."""
    request.getfixturevalue("home_without_settings")
    return Settings.load(store)
