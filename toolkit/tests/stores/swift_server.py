"""A whole OpenStack Swift in one process, for tests: `python -m tests.stores.swift_server --help`.

The proxy, with Swift's S3 API, and the account, container and object servers run as green threads.
One copy of each object, no root, no memcached, no rsync, nothing outside the home folder. Only the
proxy asks for credentials: another user of this machine could go past it. Never for real data.
"""

import argparse
import json
import os
import secrets
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

CONFIGURATION = Path(__file__).with_name("swift_conf")

#: Swift's account, and what its users may do: all, or what a container's list grants them.
USERS: dict[str, list[str]] = {"test:tester": [".admin"], "test:reader": []}

#: As in `dvc_bucket.base.ports`, which is not imported here: nothing may be that eventlet has to
#: patch.
ADDRESS = "127.0.0.1"

STORAGE = ("account", "container", "object")

#: 64 partitions and one copy: rings of a real cluster have thousands of the one and three.
PARTITION_POWER, REPLICAS = 6, 1


def credentials_file(home: Path) -> Path:
    """Where the access keys (`account:user`) and their secrets are, for their owner alone."""
    return home / "credentials.json"


def credentials(home: Path) -> dict[str, str]:
    """Secret of every access key: drawn at the first call, kept after that."""
    path = credentials_file(home)
    if not path.exists():
        from dvc_bucket.base.files import write_private

        write_private(path, json.dumps({user: secrets.token_hex(20) for user in USERS}))
    known: dict[str, str] = json.loads(path.read_text())
    return known


def settings(home: Path) -> dict[str, Any]:
    """What every server is told, beside its own file in `swift_conf`."""
    users = {
        f"user_{user.replace(':', '_')}": " ".join([secret, *USERS[user]])
        for user, secret in credentials(home).items()
    }
    return {
        "swift_dir": str(home),
        "devices": str(home / "devices"),
        "mount_check": "false",  # the device is a folder, not a disk
        "fallocate_reserve": "0",  # no part of the disk has to stay free
        "log_level": "WARNING",
        "log_custom_handlers": "tests.stores.swift_hooks.log_to_stderr",
        # A busy machine is slow, not broken; the defaults are for a data centre.
        "conn_timeout": "5",
        "node_timeout": "60",
        **users,
    }


def prepare(home: Path) -> None:
    """The folders, after a look whether their file system can hold what Swift writes."""
    (home / "devices" / "d1").mkdir(parents=True, exist_ok=True)
    probe = home / "probe"
    probe.touch()
    try:
        # An object's metadata is an extended attribute of its file.
        os.setxattr(probe, "user.swift.probe", b"x" * 2000)
    except OSError as error:
        sys.exit(f"Swift needs extended attributes (user.*) of 2 kB on files in {home}: {error}")
    finally:
        probe.unlink()
    shutil.copy(CONFIGURATION / "swift.conf", home)


def write_rings(home: Path, ports: dict[str, int]) -> None:
    """Swift's maps from an object's hash to a device: here, always the one."""
    from swift.common.ring import RingBuilder

    for name in STORAGE:
        builder = RingBuilder(PARTITION_POWER, REPLICAS, 0)
        place = {"region": 1, "zone": 1, "ip": ADDRESS, "port": ports[name], "device": "d1"}
        builder.add_dev({"id": 0, "weight": 1.0, **place})
        builder.rebalance()
        builder.get_ring().save(str(home / f"{name}.ring.gz"))


def serve(home: Path, port: int) -> None:
    """Start the four servers and return; they answer while this process waits in `wait`."""
    import eventlet.wsgi
    from swift.common.http_protocol import SwiftHttpProtocol
    from swift.common.utils import NullLogger, set_swift_dir
    from swift.common.wsgi import loadapp

    # Bound before the rings name them, so that nobody can take them in between.
    wanted = {"proxy": port, **dict.fromkeys(STORAGE, 0)}
    sockets = {name: eventlet.listen((ADDRESS, at), backlog=1024) for name, at in wanted.items()}
    write_rings(home, {name: socket.getsockname()[1] for name, socket in sockets.items()})
    set_swift_dir(str(home))
    shared = settings(home)
    for name, socket in sockets.items():
        application = loadapp(
            str(CONFIGURATION / f"{name}.conf"), {**shared, "log_name": f"{name}-server"}
        )
        eventlet.spawn(
            eventlet.wsgi.server,
            socket,
            application,
            NullLogger(),  # no line for every request
            custom_pool=eventlet.GreenPool(1024),
            protocol=SwiftHttpProtocol,
            capitalize_response_headers=False,  # S3 clients look for ETag, not Etag
            url_length_limit=8192,
        )


def wait() -> None:
    """Return when standard input ends: with the program that holds its other end, if by a kill."""
    from eventlet.hubs import trampoline

    while True:
        trampoline(sys.stdin, read=True)
        if not os.read(sys.stdin.fileno(), 4096):
            return


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(
        description="OpenStack Swift on this machine alone, until standard input ends (Ctrl-D).",
        epilog="The credentials are in HOME/credentials.json, made at the first start.",
    )
    parser.add_argument("--home", type=Path, required=True, help="folder of data and credentials")
    parser.add_argument("--port", type=int, required=True, help="port of S3's API and of Swift's")
    options = parser.parse_args()
    home = options.home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    # Eventlet says that it is for old programs, and Swift is one.
    warnings.simplefilter("ignore")
    os.environ["EVENTLET_NO_GREENDNS"] = "yes"  # no name is looked up, and its import takes 0.1 s
    from swift.common.utils import eventlet_monkey_patch

    eventlet_monkey_patch()
    os.umask(0o077)
    prepare(home)
    serve(home, options.port)
    print(f"http://{ADDRESS}:{options.port}", flush=True)
    wait()


if __name__ == "__main__":
    main()
