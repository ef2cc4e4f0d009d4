"""Every option of an S3 remote is honoured, or handed to DVC's own client, which is said."""

import base64
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.config_schema import REMOTE_SCHEMAS

from dvc_bucket import Settings
from dvc_bucket.dvc.patched import channel
from dvc_bucket.dvc.patched.s3 import FastS3FileSystem
from dvc_bucket.transfer.options import CONNECTION, ELSEWHERE, NotHonouredError, connection
from tests.patched.cloud import BucketFolder
from tests.stores.access import StoreAccess
from tests.stores.plain_front import PlainFront

KEYS = {"access_key_id": "id", "secret_access_key": "secret"}
REMOTE = {**KEYS, "endpointurl": "https://store.example"}

#: Of `.dvc/config`, and why DVC's own client takes over.
HANDED_OVER = {
    "acl": "public-read",
    "grant_read": "id=a",
    "grant_read_acp": "id=a",
    "grant_write_acp": "id=a",
    "grant_full_control": "id=a",
    "version_aware": True,
    "worktree": True,
    "an_option_of_the_future": "x",
    "sse": "aws:something",
    "sse_customer_algorithm": "ROT13",
    "sse_kms_key_id": "a key without sse",
    "endpointurl": "https://store.example/with/a/path",
    "read_timeout": -1,
}


@pytest.fixture(autouse=True)
def _nobody_elses_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No AWS set-up but the test's; and what the code under test sets is taken back."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    channel._said.clear()
    yield
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.environ.pop(name, None)


def test_every_option_of_dvc_has_a_place() -> None:
    options = {str(option) for option in REMOTE_SCHEMAS["s3"]}
    assert options <= CONNECTION | ELSEWHERE | HANDED_OVER.keys()


@pytest.mark.parametrize("option", sorted(HANDED_OVER))
def test_what_cannot_be_honoured_is_handed_over_and_said(
    option: str, caplog: pytest.LogCaptureFixture
) -> None:
    system = FastS3FileSystem(**{**REMOTE, option: HANDED_OVER[option]})
    with caplog.at_level(logging.WARNING):
        assert system.place("bucket-name/key") is None
        assert system.place("bucket-name/other") is None
    assert len(caplog.messages) == 1
    assert "DVC's own S3 client transfers the data" in caplog.messages[0]
    assert "secret" not in caplog.messages[0]


def test_options_that_are_not_set_change_nothing() -> None:
    unset = dict.fromkeys(("acl", "version_aware", "worktree"), None) | {"worktree": False}
    assert connection(REMOTE | unset, "bucket-name").settings.access_key_id == "id"


def test_endpoint_region_timeouts() -> None:
    given = {"region": "eu-north-1", "read_timeout": 7, "connect_timeout": 3}
    settings = connection(REMOTE | given, "bucket-name", {}).settings
    assert settings.endpoint_url == "https://store.example"
    assert (settings.region, settings.read_timeout, settings.connect_timeout) == (
        "eu-north-1",
        7,
        3,
    )


def test_aws_itself() -> None:
    settings = connection(KEYS | {"region": "eu-north-1"}, "bucket-name", {}).settings
    assert settings.is_aws
    assert settings.endpoint_url == "https://s3.eu-north-1.amazonaws.com"
    plain = connection(KEYS | {"region": "eu-north-1", "use_ssl": False}, "bucket-name", {})
    assert plain.settings.endpoint_url == "http://s3.eu-north-1.amazonaws.com"
    assert plain.settings.addressing_style == "virtual"
    with pytest.raises(NotHonouredError, match="without a region"):
        connection(KEYS, "bucket-name", {})


def test_variables_of_the_environment_count_as_they_do_for_botocore() -> None:
    environment = {
        "AWS_ACCESS_KEY_ID": "env-id",  # pragma: allowlist secret
        "AWS_SECRET_ACCESS_KEY": "env-secret",  # pragma: allowlist secret
        "AWS_SESSION_TOKEN": "env-token",  # pragma: allowlist secret
        "AWS_ENDPOINT_URL": "http://general.example",
        "AWS_ENDPOINT_URL_S3": "http://s3.example",
        "AWS_DEFAULT_REGION": "region-1",
        "AWS_CA_BUNDLE": "/bundle.pem",
    }
    settings = connection({}, "bucket-name", environment).settings
    assert settings.access_key_id == "env-id"  # pragma: allowlist secret
    assert settings.session_token
    assert settings.session_token.get_secret_value() == "env-token"
    assert settings.endpoint_url == "http://s3.example"
    assert (settings.region, settings.ca_bundle) == ("region-1", "/bundle.pem")
    # What the remote says wins, and a token goes with its own keys only.
    settings = connection(REMOTE, "bucket-name", environment).settings
    assert settings.endpoint_url == "https://store.example"
    assert (settings.access_key_id, settings.session_token) == ("id", None)
    ignored = environment | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    assert connection({}, "bucket-name", ignored).settings.is_aws


def test_files_and_profiles_of_aws(tmp_path: Path) -> None:
    config, keys = tmp_path / "config", tmp_path / "keys"
    config.write_text(
        "[default]\nregion = wrong\n[profile lab]\nregion = lab-1\n"
        "endpoint_url = http://lab.example\ns3 =\n    addressing_style = virtual\n"
    )
    keys.write_text("[lab]\naws_access_key_id = file-id\naws_secret_access_key = file-secret\n")
    remote = {"profile": "lab", "configpath": str(config), "credentialpath": str(keys)}
    # A profile that the remote names wins over keys of the environment, as with botocore.
    keys_of_environment = {
        "AWS_ACCESS_KEY_ID": "env-id",  # pragma: allowlist secret
        "AWS_SECRET_ACCESS_KEY": "env-secret",  # pragma: allowlist secret
    }
    settings = connection(remote, "bucket-name", keys_of_environment).settings
    assert settings.endpoint_url == "http://lab.example"
    assert (settings.region, settings.addressing_style) == ("lab-1", "virtual")
    assert (settings.profile, settings.access_key_id) == ("lab", None)  # pragma: allowlist secret
    from dvc_bucket.connection import clients

    assert clients.credentials(settings).access_key == "file-id"
    config.write_text("[profile lab]\nregion = r\ns3 =\n    use_accelerate_endpoint = true\n")
    with pytest.raises(NotHonouredError, match="use_accelerate_endpoint"):
        connection(remote, "bucket-name", {})


def test_no_credentials_anywhere_is_for_dvc_to_say(caplog: pytest.LogCaptureFixture) -> None:
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    with caplog.at_level(logging.WARNING):
        assert FastS3FileSystem(endpointurl="https://store.example").place("bucket-name/k") is None
    del os.environ["AWS_EC2_METADATA_DISABLED"]
    assert len(caplog.messages) == 1


@pytest.fixture
def front(seaweed: Settings) -> Iterator[PlainFront]:
    with PlainFront(seaweed.port) as running:
        yield running


@pytest.fixture
def options(seaweed: Settings, front: PlainFront) -> dict[str, Any]:
    """Those of a remote behind the front."""
    return BucketFolder.new(seaweed).config | {"endpointurl": front.url}


def headers_of_put(options: dict[str, Any], front: PlainFront, path: Path) -> Any:
    """The request headers of an upload with these options."""
    from dvc_objects.fs.local import localfs

    from dvc_bucket.dvc.patched.copy import copy

    path.write_bytes(b"content")
    system = FastS3FileSystem(**options)
    target = f"{options['url'].removeprefix('s3://')}/files/md5/ab/cdef"
    copy(localfs, [str(path)], system, [target], on_error=lambda *_: None)
    return next(exchange.headers for exchange in front.exchanges if exchange.method == "PUT")


def test_encryption_at_rest_is_asked_for(
    options: dict[str, Any], front: PlainFront, tmp_path: Path
) -> None:
    sent = headers_of_put(
        options | {"sse": "aws:kms", "sse_kms_key_id": "k1"}, front, tmp_path / "file"
    )
    assert sent["x-amz-server-side-encryption"] == "aws:kms"
    assert sent["x-amz-server-side-encryption-aws-kms-key-id"] == "k1"


def test_a_key_of_the_customers_own_goes_along(
    options: dict[str, Any], front: PlainFront, tmp_path: Path
) -> None:
    key = base64.b64encode(bytes(32)).decode()
    given = options | {"sse_customer_key": key, "sse_customer_algorithm": "AES256"}
    sent = headers_of_put(given, front, tmp_path / "file")
    assert sent["x-amz-server-side-encryption-customer-algorithm"] == "AES256"
    assert sent["x-amz-server-side-encryption-customer-key"] == key


def test_a_session_token_goes_along(
    options: dict[str, Any], front: PlainFront, tmp_path: Path
) -> None:
    sent = headers_of_put(options | {"session_token": "token-1"}, front, tmp_path / "file")
    assert sent["x-amz-security-token"] == "token-1"


def test_anonymous_requests_are_not_signed(
    options: dict[str, Any], front: PlainFront, tmp_path: Path
) -> None:
    given = {"url": options["url"], "endpointurl": options["endpointurl"]}
    sent = headers_of_put(given | {"allow_anonymous_login": True}, front, tmp_path / "file")
    assert "authorization" not in sent


def test_an_authority_of_ones_own(remote_store: StoreAccess) -> None:
    given = {
        "endpointurl": remote_store.endpoint_url,
        "access_key_id": remote_store.access_key_id,
        "secret_access_key": remote_store.secret_access_key,
    }
    path = f"{remote_store.bucket}/nowhere/files/md5"
    bundle = str(remote_store.ca_bundle)
    assert FastS3FileSystem(**given, ssl_verify=bundle).exists(path) is False
    assert FastS3FileSystem(**given, ssl_verify=False).exists(path) is False
    from dvc_bucket.transfer.errors import StoreUnavailableError

    for verify in ({}, {"ssl_verify": True}):
        with pytest.raises(StoreUnavailableError):
            FastS3FileSystem(**given, **verify).exists(path)


@pytest.mark.parametrize(
    ("style", "host"), [("path", "store.example"), ("virtual", "bucket-name.store.example")]
)
def test_where_the_bucket_stands(style: str, host: str, tmp_path: Path) -> None:
    """In the path or in the host name, as an AWS file says."""
    config = tmp_path / "config"
    config.write_text(f"[default]\ns3 =\n    addressing_style = {style}\n")
    place = FastS3FileSystem(**REMOTE, configpath=str(config)).place("bucket-name/key")
    assert place
    assert place.store.config["endpoint"] == f"https://{host}"
