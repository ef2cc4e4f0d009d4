"""Ports for the embedded store: on loopback, free, and where `weed` wants them."""

import socket
from ipaddress import ip_address
from pathlib import Path
from random import SystemRandom

from dvc_bucket.base.errors import ServerError

#: The one address that every port of the store is bound to.
ADDRESS = "127.0.0.1"

#: gRPC of an inner server listens this far above its HTTP port. Other numbers can be set, but the
#: worker that vacuums deleted objects looks for the admin server here, whatever is set.
GRPC_OFFSET = 10_000

#: Where free ports are looked for, of pairs and of single ones: apart from each other, and below
#: 32768, as Linux gives those above to outgoing connections.
PAIRED_PORTS = range(15_000, 22_000)
SINGLE_PORTS = range(22_000, 25_000)


def is_this_machine(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def free_ports(count: int, *, paired: bool = False) -> list[int]:
    """Ports that nobody listens on, in random order, so that two starts seldom pick the same.

    Args:
        count: how many.
        paired: whether the ports `GRPC_OFFSET` above them have to be free too.

    Raises:
        ServerError: there are not so many.
    """
    free: list[int] = []
    candidates = PAIRED_PORTS if paired else SINGLE_PORTS
    for port in SystemRandom().sample(candidates, len(candidates)):
        both = (port, port + GRPC_OFFSET) if paired else (port,)
        # `weed` serves gRPC on a socket of this name too, and fails where it is another user's.
        named = any(list(Path("/tmp").glob(f"seaweedfs-*-{number}.sock")) for number in both)  # noqa: S108
        if not named and all(is_free(number) for number in both):
            free.append(port)
        if len(free) == count:
            return free
    raise ServerError(
        f"Fewer than {count} ports between {candidates.start} and {candidates.stop} are free on "
        f"{ADDRESS}. Stop some of the programs that listen there."
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on `port`, on loopback and, as `weed` insists, anywhere."""
    for address in (ADDRESS, "0.0.0.0"):  # noqa: S104 (bound for a moment, never listened on)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Go's servers do
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
