"""The connection for Python libraries."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dvc_bucket.connection.clients import aws, redirects, shared
from dvc_bucket.connection.clients.shared import plain
from dvc_bucket.connection.settings import Settings
from dvc_bucket.connection.settings.sources import CHECKSUMS

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from obstore.store import S3Credential
    from pyarrow.fs import S3FileSystem

    from dvc_bucket.connection.clients.patient import PatientStore

#: obstore asks for credentials of an AWS set-up again after so long; botocore renews them in time.
CREDENTIALS_LAST = timedelta(minutes=5)

#: A transfer may take as long as it moves; obstore would end each request after 30 s.
WHOLE_REQUEST = timedelta(days=1)

#: What obstore would take from AWS variables of the environment, which are for other programs. To
#: hide them from it for a moment would hide them from the other threads of the process.
NOT_OF_THE_ENVIRONMENT = {
    "skip_signature": False,
    "unsigned_payload": False,
    "request_payer": False,
    "s3_express": False,
}

_ENVIRONMENT = threading.RLock()


def storage_options(settings: Settings) -> dict[str, Any]:
    """For s3fs, and so for pandas, Dask and whatever else takes fsspec's `storage_options`.

    s3fs of this process then follows no redirect, which would carry a session token to another
    host. Where the options are sent to another machine, call `clients.keep_s3fs()` there.
    """
    redirects.keep_s3fs()
    client: dict[str, Any] = {"region_name": settings.region, "verify": settings.ca_bundle}
    options = {
        "anon": settings.anonymous or None,
        "key": settings.access_key_id,
        "secret": plain(settings.secret_access_key),
        "token": plain(settings.session_token),
        "profile": aws.profile(settings),
        "endpoint_url": shared.named_endpoint(settings),
        "client_kwargs": {name: value for name, value in client.items() if value is not None},
        "config_kwargs": _botocore_config(settings),
        "session_vars": aws.session_variables(settings) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def boto3_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of `client("s3", ...)` of a boto3 or botocore session.

    `boto3` and `botocore` below make the session, too, which knows a profile of `.env`.
    """
    from botocore import UNSIGNED
    from botocore.config import Config

    config = _botocore_config(settings)
    if settings.anonymous:
        config["signature_version"] = UNSIGNED
    return {
        "endpoint_url": shared.named_endpoint(settings),
        "aws_access_key_id": settings.access_key_id,
        "aws_secret_access_key": plain(settings.secret_access_key),
        "aws_session_token": plain(settings.session_token),
        "region_name": settings.region,
        "verify": settings.ca_bundle,
        "config": Config(**config),
    }


def boto3(settings: Settings) -> Any:
    """An S3 client of boto3, which this project itself does not need.

    Raises:
        SettingsError: the AWS configuration cannot be used.
    """
    from boto3 import Session

    session = Session(botocore_session=aws.session(settings))
    return session.client("s3", **boto3_options(settings))


def botocore(settings: Settings, **config: Any) -> "BaseClient":
    """An S3 client of botocore, which boto3, s3fs and DVC are built on.

    Args:
        settings: the connection.
        config: of `botocore.config.Config`, over what the settings say.

    Raises:
        SettingsError: the AWS configuration cannot be used.
    """
    from botocore.config import Config

    options = boto3_options(settings)
    options["config"] = options["config"].merge(Config(**config))
    return aws.session(settings).create_client("s3", **options)


def obstore(
    settings: Settings, client_options: Mapping[str, Any] | None = None, **more: Any
) -> "PatientStore":
    """An obstore client of the bucket: timeouts and retries included.

    Args:
        settings: the connection.
        client_options: of the HTTP client, over those of the settings.
        more: options of the `S3Store`, over those of the settings.

    Raises:
        SettingsError: the AWS configuration cannot be used, or has no credentials.
    """
    from dvc_bucket.connection.clients.patient import patient

    options: dict[str, Any] = {
        "bucket": settings.bucket_name,
        "region": aws.region(settings),
        "virtual_hosted_style_request": shared.is_virtual(settings),
        "client_options": _obstore_client(settings) | dict(client_options or {}),
        **NOT_OF_THE_ENVIRONMENT,
    }
    if not settings.is_aws:
        # The environment's AWS_ENDPOINT_URL_S3 would win over the first of these.
        url = shared.endpoint_of_bucket(settings)
        options |= {"endpoint": url, "aws_endpoint_url_s3": url}
    if settings.anonymous:
        options["skip_signature"] = True
    else:
        # And its AWS_SESSION_TOKEN would go with keys that are given as options.
        options["credential_provider"] = _obstore_credentials(settings)
    return patient(settings, options | more)


def pyarrow(settings: Settings) -> "S3FileSystem":
    """A file system of pyarrow, whose paths are `bucket/key`.

    Credentials of an AWS set-up are those of this moment: make a new one when they have expired.

    Raises:
        SettingsError: the AWS configuration cannot be used, or has no credentials.
    """
    from pyarrow.fs import S3FileSystem

    parts = urlsplit(shared.endpoint(settings))
    token: str | None = None
    who: dict[str, Any] = {"anonymous": True}
    if not settings.anonymous:
        key, secret, token = aws.provider(settings)()
        who = {"access_key": key, "secret_key": secret, "session_token": token}
    with _environment_variables(CHECKSUMS):  # it has no options for these
        return S3FileSystem(
            **who,
            region=redirects.pyarrow_region(settings, token),
            scheme=parts.scheme,
            endpoint_override=None if settings.is_aws else parts.netloc + parts.path,
            force_virtual_addressing=shared.is_virtual(settings),
            connect_timeout=settings.connect_timeout,
            request_timeout=settings.read_timeout,
            tls_ca_file_path=settings.ca_bundle,
            proxy_options=shared.proxy(settings),  # nor does it ask the environment for a proxy
        )


def _botocore_config(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of `botocore.config.Config`."""
    config: dict[str, Any] = {
        "s3": {"addressing_style": settings.addressing_style},
        "signature_version": "s3v4",  # it presigns with an old one unless told otherwise
        "connect_timeout": settings.connect_timeout,
        "read_timeout": settings.read_timeout,
        "retries": shared.botocore_retries(settings),
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
    }
    via = shared.proxy(settings)
    return config | {"proxies": {urlsplit(settings.endpoint_url).scheme: via} if via else {}}


def _obstore_client(settings: Settings) -> dict[str, Any]:
    """Options of obstore's HTTP client."""
    options: dict[str, Any] = {
        "allow_http": settings.endpoint_url.startswith("http://"),
        "allow_invalid_certificates": False,
        "connect_timeout": timedelta(seconds=settings.connect_timeout),
        "read_timeout": timedelta(seconds=settings.read_timeout),
        "timeout": WHOLE_REQUEST,
    }
    if settings.ca_bundle:
        options["root_certificate"] = Path(settings.ca_bundle).read_bytes()
    return options | redirects.obstore_options(settings)


def _obstore_credentials(settings: Settings) -> "Callable[[], S3Credential]":
    """A provider for obstore: of the settings' credentials, or of those that botocore renews."""
    provide = aws.provider(settings)

    def credential() -> "S3Credential":
        keys = provide()
        return {
            "access_key_id": keys.access_key,
            "secret_access_key": keys.secret_key,
            "token": keys.token,
            "expires_at": None if settings.access_key_id else datetime.now(UTC) + CREDENTIALS_LAST,
        }

    return credential


@contextmanager
def _environment_variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process for a moment, one thread at a time."""
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
