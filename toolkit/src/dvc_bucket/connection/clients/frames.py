"""The connection for polars, whose S3 client is the one of obstore."""

from typing import Any

from dvc_bucket.connection.clients import aws, redirects, shared
from dvc_bucket.connection.settings import Settings

#: What it does by itself, for as long as the settings say: requests are tried again with waits from
#: the first to the last of these.
RETRIES = 1000
FIRST_WAIT_MS, LONGEST_WAIT_MS = 100, 8000


def polars(settings: Settings) -> dict[str, Any] | None:
    """Options of `polars.scan_parquet`, without credentials, for URLs as `s3://bucket/key`.

    None where polars cannot be told all of the connection: authorities of certificates, a proxy,
    credentials that are not in the settings, or that there are to be none.
    """
    is_open = settings.endpoint_url.startswith("http://")
    has_authorities = settings.ca_bundle and not is_open
    has_keys = settings.access_key_id and not settings.anonymous
    if has_authorities or not has_keys or shared.proxy(settings):
        return None
    seconds = settings.retry_seconds
    options: dict[str, Any] = {
        "aws_region": aws.region(settings),
        "aws_virtual_hosted_style_request": str(shared.is_virtual(settings)).lower(),
        "aws_allow_http": str(is_open).lower(),
        "connect_timeout": f"{settings.connect_timeout} s",
        "read_timeout": f"{settings.read_timeout} s",
        "timeout": "1 day",
        "max_retries": RETRIES if seconds else 0,
        "retry_timeout_ms": 1000 * seconds,
        "retry_init_backoff_ms": FIRST_WAIT_MS,
        "retry_max_backoff_ms": LONGEST_WAIT_MS,
        # What it would take from variables of the environment, which are for other programs.
        "aws_skip_signature": "false",
        "aws_unsigned_payload": "false",
        "aws_request_payer": "false",
        "aws_s3_express": "false",
        **redirects.obstore_options(settings),
    }
    if not settings.is_aws:
        url = shared.endpoint_of_bucket(settings)
        options |= {"aws_endpoint_url": url, "aws_endpoint_url_s3": url}
    return options


def polars_credentials(settings: Settings) -> dict[str, str]:
    """The settings' credentials, in the words of polars' `credential_provider`."""
    keys = aws.provider(settings)()
    named = {
        "aws_access_key_id": keys.access_key,
        "aws_secret_access_key": keys.secret_key,
        "aws_session_token": keys.token,
    }
    return {name: value for name, value in named.items() if value is not None}
