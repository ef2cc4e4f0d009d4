"""What an endpoint's URL says of where the store is."""

from urllib.parse import urlsplit

from dvc_bucket.base.ports import is_this_machine

#: Hosts that can only be this machine, as the embedded store listens: IPv4.
LOOPBACK = {"127.0.0.1", "localhost"}


def is_embedded(endpoint_url: str) -> bool:
    """Whether `endpoint_url` is of the form that only the embedded store has.

    It speaks plain http on loopback; https there is a tunnel to a store elsewhere.
    """
    try:
        parts = urlsplit(endpoint_url)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def is_readable_on_the_way(endpoint_url: str) -> bool:
    """Whether the endpoint is another machine, which is spoken to in plain http."""
    parts = urlsplit(endpoint_url)
    return parts.scheme == "http" and not is_this_machine(parts.hostname or "")
