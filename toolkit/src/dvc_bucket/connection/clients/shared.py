"""What the connection means to several clients alike."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.ports import is_this_machine
from dvc_bucket.connection.clients.listener import prove_ours
from dvc_bucket.connection.settings import Settings

if TYPE_CHECKING:
    from pydantic import SecretStr

#: Attempts of botocore in all where the store is on this machine and does not come back by itself.
FEW_ATTEMPTS = 4

#: Elsewhere botocore's adaptive mode waits so long before an attempt on average, at most (half of
#: its bound of 20 s); before the first ones less, which makes about as much as so many attempts.
#: Source: botocore, retries/standard.py `ExponentialBackoff`.
MEAN_WAIT_SECONDS = 10
FIRST_ATTEMPTS = 5


def plain(secret: "SecretStr | None") -> str | None:
    """A secret as its client needs it."""
    return secret.get_secret_value() if secret else None


def is_virtual(settings: Settings) -> bool:
    """Whether the bucket goes into the host name: as asked for, else on AWS only.

    The certificate of `*.s3.REGION.amazonaws.com` is for no name with more dots.
    """
    if settings.addressing_style == "auto":
        return settings.is_aws and "." not in settings.bucket_name
    return settings.addressing_style == "virtual"


def endpoint(settings: Settings) -> str:
    """The endpoint for a client. No client takes it from the settings themselves.

    The embedded endpoint is handed out only if no other user's program listens there: a signed
    request proves the client to the server, never the server to the client. Every new client
    proves it again, as the store can have ended meanwhile.

    Raises:
        StrangerError: another user's program listens at the embedded endpoint.
    """
    if settings.is_embedded:
        prove_ours(settings.host, settings.port)
    return settings.endpoint_url


def named_endpoint(settings: Settings) -> str | None:
    """The endpoint for a client that finds AWS's own by itself: None for AWS.

    Raises:
        StrangerError: another user's program listens at the embedded endpoint.
    """
    return None if settings.is_aws else endpoint(settings)


def endpoint_of_bucket(settings: Settings) -> str:
    """The endpoint with the bucket in the host name where it belongs there.

    Raises:
        StrangerError: another user's program listens at the embedded endpoint.
    """
    url = endpoint(settings)
    if not is_virtual(settings):
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{settings.bucket_name}.{parts.netloc}"))


def bucket_host(settings: Settings) -> str:
    """The host name that requests for the bucket go to."""
    return f"{settings.bucket_name}.{settings.host}" if is_virtual(settings) else settings.host


def bucket_url(settings: Settings) -> str:
    """URL of the bucket: in the path, or in the host name, as the settings say."""
    endpoint = endpoint_of_bucket(settings)
    return endpoint if is_virtual(settings) else f"{endpoint}/{settings.bucket_name}"


def proxy(settings: Settings) -> str | None:
    """URL of the proxy that requests to the endpoint go through; None where they go straight.

    To this machine they always do. The variable of the endpoint's scheme wins over `ALL_PROXY`,
    and a host of `NO_PROXY` has none, as with curl. botocore and Go's programs read no `ALL_PROXY`,
    obstore and pyarrow read other names: all clients are told what is found here.

    Raises:
        SettingsError: no client of ours speaks to such a proxy.
    """
    parts = urlsplit(settings.endpoint_url)
    if is_this_machine(settings.host):
        return None
    from urllib.request import getproxies, proxy_bypass  # it takes 5 ms

    if proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    name = parts.scheme if proxies.get(parts.scheme) else "all"
    via = proxies.get(name, "")
    if via.startswith("socks") and name == "all":  # boto and Go go straight then
        return None
    via = via if not via or "://" in via else f"http://{via}"
    if via and not _is_usable(via):
        raise SettingsError(
            f"{name}_proxy names a proxy of a kind that S3 clients do not support. Set it to a URL "
            f"of the form http://host:port, or add {settings.host} to no_proxy if the store is "
            "reachable without a proxy."
        )
    return via or None


def _is_usable(via: str) -> bool:
    try:
        parts = urlsplit(via)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def botocore_retries(settings: Settings) -> dict[str, Any]:
    """What botocore and its kin are to do for about the budget of one request."""
    attempts = FIRST_ATTEMPTS + settings.retry_seconds // MEAN_WAIT_SECONDS
    if settings.is_embedded or not settings.retry_seconds:
        attempts = min(attempts, FEW_ATTEMPTS if settings.retry_seconds else 1)
    return {"total_max_attempts": attempts, "mode": "adaptive"}
