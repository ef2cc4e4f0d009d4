"""The proof that a port of this machine belongs to us, made before anything is sent to it."""

import contextlib
import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path

from dvc_bucket.base.errors import StrangerError
from dvc_bucket.base.ports import ADDRESS

#: Linux's tables of sockets, with the user of each. They stay readable where /proc hides the
#: processes of others. Source: proc(5), /proc/net/tcp.
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))

#: The state of a listening socket in these tables. Source: Linux, include/net/tcp_states.h.
LISTENING = "0A"

#: For a connection on loopback, which takes less than a millisecond.
CONNECT_SECONDS = 1.0


def prove_ours(host: str, port: int) -> None:
    """Return if this user's program listens on a port of this machine, or if nothing listens.

    Every program that listens on the port counts, on any address of this machine.

    Raises:
        StrangerError: another user's program listens, or its user cannot be determined.
    """
    owners, me = set(_owners(host, port)), os.geteuid()
    if owners == {me}:
        return
    fix = (
        "Nothing was sent to it. `make serve` moves the embedded store to a free port. To use a "
        "store elsewhere, forward a port of your own to it (`ssh -L`), or use https."
    )
    if strangers := owners - {me}:
        raise StrangerError(
            f"Port {port} of this machine belongs to a program of the user "
            f"{_name(min(strangers))}, not of {_name(me)}. {fix}"
        )
    if _answers(host, port):
        raise StrangerError(
            f"A program listens on port {port} of this machine, and the system does not show its "
            f"owner. {fix}"
        )


def _owners(host: str, port: int) -> Iterator[int]:
    """The users whose programs listen on a port."""
    if not TABLES[0].exists():
        yield from _owners_by_process(port)
        return
    for table in TABLES:
        owners = list(_owners_in(table, port))
        yield from owners
        if owners and host == ADDRESS:  # one of IPv6 for both kinds cannot be there as well
            return


def _owners_in(table: Path, port: int) -> Iterator[int]:
    """The same of one table. It lists listening sockets first; the others take the system 5 ms."""
    wanted, is_found = f":{port:04X}", False
    with contextlib.suppress(OSError), table.open(encoding="ascii") as lines:
        next(lines, None)  # the names of the columns
        for line in lines:
            _, local, _, state, _, _, _, user, *_ = line.split()
            if state == LISTENING and local.endswith(wanted):
                is_found = True
                yield int(user)
            elif state != LISTENING and is_found:
                return


def _owners_by_process(port: int) -> Iterator[int]:
    """The same where the system has no such tables: it tells of our own processes only."""
    import psutil  # it takes 5 ms, and Linux has the tables

    me = os.geteuid()
    for process in psutil.process_iter():
        try:
            ours = process.uids().effective == me and process.net_connections("tcp")
        except psutil.Error:
            continue
        for connection in ours or ():
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                yield me


def _answers(host: str, port: int) -> bool:
    """Whether a connection can be made. Nothing is sent over it."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except TimeoutError:
        return True
    except OSError:
        return False
    return True


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
