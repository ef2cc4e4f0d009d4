"""No client follows a redirect to another host: headers with secrets would go along.

A session token and the key of SSE-C are headers, which HTTP libraries send on to wherever a
redirect leads; of a request for S3 they take off `Authorization` alone. botocore follows none.
"""

from urllib.parse import urlsplit

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection.clients import aws
from dvc_bucket.connection.clients.shared import proxy
from dvc_bucket.connection.settings import DEFAULT_REGION, Settings

#: A proxy that nobody can be: connections to port 0 are refused.
NOBODY = "http://127.0.0.1:0"

#: The AWS SDK for C++ signs for `us-east-1` where this is the region, and follows no redirect.
#: Source: aws-sdk-cpp, CurlHttpClient.cpp (`m_allowRedirects`) and `ComputeSignerRegion`.
NOT_FOLLOWING = "aws-global"


def obstore_options(settings: Settings) -> dict[str, str]:
    """Options of obstore's HTTP client, which has none for redirects: a proxy for other hosts.

    Where a proxy of the environment leads to the endpoint, it leads to other hosts, too.
    """
    if via := proxy(settings):
        return {"proxy_url": via}
    own = f"s3.{aws.region(settings)}.amazonaws.com" if settings.is_aws else settings.host
    return {"proxy_url": NOBODY, "proxy_excludes": own}


def keep_s3fs() -> None:
    """Have every s3fs that this process makes from now on follow no redirect."""
    import aiobotocore.config

    from dvc_bucket.connection.clients.staying import StayingSession

    aiobotocore.config.DEFAULT_HTTP_SESSION_CLS = StayingSession


def pyarrow_region(settings: Settings, token: str | None) -> str:
    """The region for pyarrow, with which it follows no redirect where there is such a one.

    Raises:
        SettingsError: there is none, a session token would go along, and the endpoint redirects.
    """
    region = aws.region(settings)
    if settings.is_aws:
        return region
    if region == DEFAULT_REGION:
        return NOT_FOLLOWING
    if token and (host := _led_to(settings)):
        raise SettingsError(
            f"{settings.endpoint_url} redirects to {host!r}, which would receive the session "
            "token. Set OS_ENDPOINT_URL to the final address."
        )
    return region


def _led_to(settings: Settings) -> str:
    """The other host to which the endpoint redirects a list of the bucket; empty if to none."""
    from dvc_bucket.connection import wire

    answer = wire.get(settings, {"list-type": "2", "max-keys": "1"})
    return leads_away(settings, answer.headers.get("location", ""))


def leads_away(settings: Settings, location: str) -> str:
    """The host of a redirect's address where that is another than the endpoint's; else empty."""
    try:
        host = (urlsplit(location).hostname or "").lower()
    except ValueError:
        return location
    return "" if host in {"", settings.host} else host
