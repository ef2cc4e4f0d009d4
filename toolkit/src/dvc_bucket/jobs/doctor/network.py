"""From the name of the host to an open connection: DNS, TCP, and whose program listens."""

import socket
import time
from urllib.parse import urlsplit

from dvc_bucket.connection import clients, wire
from dvc_bucket.connection.settings import Settings
from dvc_bucket.jobs.doctor.check import Check, Problem
from dvc_bucket.jobs.doctor.files import SettingsValid
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.store import neighbours


class HostKnown(Check):
    """Without an address there is nothing to connect to."""

    name = "host name (DNS)"
    fix = "Correct OS_ENDPOINT_URL, or join the network (VPN) in which the name is known."
    requires = (SettingsValid,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look up the endpoint, or the proxy before it, and the bucket's own host if it has one."""
        settings = patient.settings
        host = door(settings)[0]
        address = _look_up(host)
        if clients.proxy(settings):
            if not address:
                raise Problem(f"DNS does not know the proxy {host}", _fix_proxy(settings))
            return f"{host} (the proxy) is {address}"
        if not address:
            where = patient.sources.find("OS_ENDPOINT_URL")
            raise Problem(f"DNS does not know {host} (from {where!r})")
        bucket_host = clients.bucket_host(settings)
        if bucket_host != settings.host and not _look_up(bucket_host):
            is_number = host == address
            raise Problem(
                f"virtual-host addressing needs the name {bucket_host}, which "
                + (
                    "cannot exist: the endpoint is an IP address"
                    if is_number
                    else "DNS does not know"
                ),
                "Set OS_ADDRESSING_STYLE=path, or remove the line.",
            )
        return host if host == address else f"{host} is {address}"


class PortOpen(Check):
    """Nothing that listens there means a wrong port, a firewall, or a store that is down."""

    name = "connection (TCP)"
    fix = "Correct the port in OS_ENDPOINT_URL, or ask whether the store is running."
    requires = (HostKnown,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Connect to the endpoint, or to the proxy before it."""
        settings = patient.settings
        is_proxied = clients.proxy(settings) is not None
        where = ("the proxy " if is_proxied else "") + written(*door(settings))
        started = time.monotonic()
        try:
            connect(settings).close()
        except ConnectionRefusedError:
            fix = "Start it: `make serve`." if settings.is_embedded else ""
            fix = _fix_proxy(settings) if is_proxied else fix
            raise Problem(f"no program listens at {where} (connection refused)", fix) from None
        except TimeoutError:
            raise Problem(
                f"{where} does not answer within {wire.timeouts(settings)[0]:.0f} s",
                "A firewall drops the connection, or the host is down. Try from another network, "
                "or ask whether this port is open to you.",
            ) from None
        except OSError as error:
            raise Problem(f"{where} cannot be reached: {error.strerror}") from None
        return f"{where} in {1000 * (time.monotonic() - started):.0f} ms"


class ListenerOurs(Check):
    """Another user's program at the embedded endpoint would be sent data and be believed."""

    name = "owner of the port"
    fix = "Run `make serve`, which moves the embedded store to a free port."
    requires = (PortOpen,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask for the endpoint as every client does, and say what remains open."""
        settings, mine = patient.settings, patient.project.root
        clients.endpoint(settings)
        if not settings.is_embedded:
            return "not checked: the endpoint is not plain http on this machine"
        clone = neighbours.clone_at(settings.port)
        if clone not in {None, mine} and not neighbours.is_shared(settings):
            raise Problem(
                f"the store of {clone} listens there and does not accept this clone's key",
                "Run `make serve`, which starts this clone's own store on another port.",
            )
        return (
            "you; root and your own programs can still read the store, and another user can take "
            "the port after the store ends"
        )


def door(settings: Settings) -> tuple[str, int]:
    """Host and port that a connection goes to: the proxy's where there is one."""
    if via := clients.proxy(settings):
        parts = urlsplit(via)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    return settings.host, settings.port


def connect(settings: Settings) -> socket.socket:
    """A connection to the endpoint, or to the proxy before it, to be closed by the caller.

    Raises:
        OSError: there is none.
    """
    return socket.create_connection(door(settings), timeout=wire.timeouts(settings)[0])


def written(host: str, port: int) -> str:
    """Host and port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _look_up(host: str) -> str:
    """The first address of a host; empty if it has none."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):  # a part of the name is empty or too long
        return ""


def _fix_proxy(settings: Settings) -> str:
    name = f"{urlsplit(settings.endpoint_url).scheme}_proxy"
    return (
        f"Correct {name} (or ALL_PROXY) in the environment, or add {settings.host} to no_proxy if "
        "the store is reachable without a proxy."
    )
