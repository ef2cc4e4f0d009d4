"""SeaweedFS as the embedded store needs it: its options, its ports, its process, its files."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Literal

import psutil

from dvc_bucket.base import extras
from dvc_bucket.base.errors import StrangerError
from dvc_bucket.base.files import write_private
from dvc_bucket.base.paths import Project
from dvc_bucket.base.ports import ADDRESS, GRPC_OFFSET, free_ports
from dvc_bucket.connection.clients.shared import plain
from dvc_bucket.connection.settings import Settings
from dvc_bucket.store import security as store_security
from dvc_bucket.store.security import INNER

#: Soft limit of the process's memory. Without one it rises above 1.2 GB under load; 200 MiB halves
#: the speed; this leaves room for the transfers of a small machine.
MEMORY_LIMIT = "512MiB"

#: Size at which a new data file is begun. Nothing is allocated ahead, so an empty store stays
#: small; small files mean that a nearly full disk still has room for several.
VOLUME_MB = 64

#: After SIGTERM it ends within about 2 s, or waits without end for a part of its own that ended
#: first. All that it acknowledged is in files by then: killing it loses nothing.
STOP_SECONDS = 3.0

#: For one signed request on loopback, which takes milliseconds.
REQUEST_SECONDS = 5.0

#: Longest piece of a log line that goes into a message.
LINE_LIMIT = 300


def binary() -> Path:
    """The `weed` program of this Python environment.

    Raises:
        MissingExtraError: it is not installed.
    """
    beside = Path(sys.executable).with_name("weed")
    program = beside if beside.is_file() else shutil.which("weed")
    if not program:
        raise extras.missing("store", "weed")
    return Path(program)


def launch(project: Project, settings: Settings) -> psutil.Process:
    """Start the store in the background, on ports of which only S3's is known, and return it.

    It gets a session of its own, so neither Ctrl-C nor the end of the shell reaches it, and an
    environment of its own: `weed` would take `AWS_*`, `WEED_*` and `S3_*` names for its settings.

    Raises:
        ServerError: the program is not installed.
    """
    program = binary()
    _write_configuration(project, settings)
    home = project.store
    if project.store_log.exists():
        project.store_log.replace(project.store_log.with_suffix(".log.1"))
    log = os.open(project.store_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # Relative paths: `weed` splits -dir at commas, and a socket's path may have 108 bytes.
        process = subprocess.Popen(
            [program, "-logtostderr=true", "mini", *_options(settings.port)],
            cwd=home,
            env={"PATH": os.defpath, "HOME": str(home), "GOMEMLIMIT": MEMORY_LIMIT},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=0o077,
        )
    finally:
        os.close(log)
    return psutil.Process(process.pid)


def _options(s3_port: int) -> list[str]:
    """The options of `weed mini`: S3 and what it stands on, on loopback, and nothing else."""
    inner = []
    for name, port in zip(INNER, free_ports(len(INNER), paired=True), strict=True):
        inner += [f"-{name}.port={port}", f"-{name}.port.grpc={port + GRPC_OFFSET}"]
    return [
        *("-dir=data", f"-ip={ADDRESS}", f"-ip.bind={ADDRESS}"),
        *inner,
        *(f"-s3.port={s3_port}", f"-s3.port.grpc={free_ports(1)[0]}", "-s3.config=identities.json"),
        *("-filer.localSocket=filer.sock", "-s3.localSocket=s3.sock"),
        "-s3.autoCreateBucket=false",  # a mistyped bucket is an error, not a new bucket
        "-s3.allowDeleteBucketNotEmpty=false",
        # The inner servers answer over TLS alone, and S3 no page of another site.
        *("-disableHttp", f"-s3.allowedOrigins=http://{ADDRESS}"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false", "-webdav=false"),
        *("-admin.ui=false", "-metricsPort=0", "-master.telemetry=false"),
        *("-master.volumePreallocate=false", f"-master.volumeSizeLimitMB={VOLUME_MB}"),
    ]


def _write_configuration(project: Project, settings: Settings) -> None:
    """Everything secret, in files that only the owner can read, and a clean data folder."""
    data = project.store / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    # What `weed` noted of earlier runs: their options, and a folder per master port. The master
    # learns volumes and numbers from the volume server at each start.
    (data / "mini.options").unlink(missing_ok=True)
    for folder in data.glob("m[0-9]*"):
        shutil.rmtree(folder)
    identity = {
        "name": "project",
        "credentials": [
            {
                "accessKey": settings.access_key_id,
                "secretKey": plain(settings.secret_access_key),
            }
        ],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    write_private(project.store / "identities.json", json.dumps({"identities": [identity]}))
    store_security.configure(project.store)


def is_ready(settings: Settings) -> bool:
    """Whether the bucket is there for our key; it is created if the store lacks it."""
    status = signed("HEAD", settings)
    if status == HTTPStatus.NOT_FOUND and signed("PUT", settings) == HTTPStatus.OK:
        status = signed("HEAD", settings)
    return status == HTTPStatus.OK


def signed(
    method: Literal["HEAD", "PUT"], settings: Settings, timeout: float = REQUEST_SECONDS
) -> int | None:
    """HTTP status of a signed request for the bucket itself; None if no store of ours answers.

    `http.client` sends it, which knows of no proxy. obstore signs it, as it imports in 60 ms;
    botocore, which could create a bucket by itself, takes 500.
    """
    import obstore

    try:
        url = obstore.sign(settings.obstore(), method, "", timedelta(seconds=60))
    except StrangerError:
        return None
    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=timeout)
    try:
        connection.request(method, url.removeprefix(settings.endpoint_url))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def find(project: Project, pid: int | None = None) -> psutil.Process | None:
    """The store of this checkout: process `pid` if it is that, or without `pid` any that is.

    A pid alone proves nothing, as numbers are used again. A `weed` whose working folder is our
    `.bucket` is ours; that also holds after the clock was set, unlike a process's start time.
    """
    for process, folder in stores(pid):
        with contextlib.suppress(OSError):
            if folder.samefile(project.store):
                return process
    return None


def stores(pid: int | None = None) -> Iterator[tuple[psutil.Process, Path]]:
    """Every running `weed` that we may look into, or that of one pid, with its working folder."""
    try:
        candidates = psutil.process_iter() if pid is None else [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return
    for process in candidates:
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.name().startswith("weed"):
                yield process, Path(process.cwd())
        except (psutil.Error, OSError):
            continue


def end(process: psutil.Process) -> None:
    """Stop the store's process, and return when it is gone."""
    leftovers = sockets(process)
    try:
        process.terminate()
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(STOP_SECONDS)
    except psutil.NoSuchProcess:
        pass
    remove_sockets(leftovers)


def sockets(process: psutil.Process) -> list[str]:
    """The Unix sockets that this `weed` opens in /tmp, and leaves there when it is killed."""
    try:
        ports = store_security.ports_of(process)
    except psutil.Error:
        return []
    grpc = ((port, name.split(".")[0]) for port, name in ports.items() if name.endswith(".grpc"))
    return [f"/tmp/seaweedfs-{name}-grpc-{port}.sock" for port, name in grpc]  # noqa: S108


def remove_sockets(paths: list[str]) -> None:
    """Remove what `sockets` had found, where it is ours and nobody listens on it any more."""
    for path in map(Path, paths):
        try:
            found = path.lstat()
            if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
                continue
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))  # a copied state file can name a living store's sockets
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        except OSError:
            continue


def last_line(log: Path) -> str:
    """The log's last error, or its last line where it has none: one line, cut to fit a message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    lines = [line.strip() for line in lines if line.strip()]
    # glog marks errors and fatal errors by the line's first letter.
    errors = [line for line in lines if line[:1] in "EF" and line[1:5].isdigit()]
    return (errors or lines or [""])[-1][:LINE_LIMIT]
