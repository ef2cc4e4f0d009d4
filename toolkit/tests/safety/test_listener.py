"""Nothing is sent to a program of another user that listens where our own store should."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import ismodule
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from dvc_bucket import Project, Settings
from dvc_bucket.base import ports
from dvc_bucket.base.errors import StrangerError
from dvc_bucket.connection import clients
from dvc_bucket.store.server import Server
from tests.bucket.store_tools import run
from tests.conftest import discard
from tests.projects import make_project
from tests.safety.conftest import Stranger


@dataclass(frozen=True)
class Listener:
    """A stranger's program on a port of this machine.

    Attributes:
        port: where it listens.
        heard: everything that it was sent.
    """

    port: int
    heard: Path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with pushed data, whose store is stopped."""
    made = make_project(tmp_path_factory.mktemp("listener") / "clone")
    Server(made).start()
    subprocess.run(["git", "init", "-q"], cwd=made.root, check=True)
    (made.root / "numbers.csv").write_text("a,b\n1,2\n")
    for words in (["dvc", "add", "-q", "numbers.csv"], ["push"]):
        done = run(made, *words)
        assert done.returncode == 0, done.stderr
    shutil.rmtree(made.root / ".dvc" / "cache")  # so that everything has to be asked for
    (made.root / "numbers.csv").unlink()
    Server(made).stop()
    yield made
    discard(made)


@pytest.fixture
def listener(project: Project, stranger: Stranger, open_folder: Path) -> Iterator[Listener]:
    """A stranger's server on the port of the project's store, which says yes to everything."""
    port, heard = Settings.load(project).port, open_folder / "heard"
    heard.touch()
    os.chown(heard, stranger.uid, stranger.gid)
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(stranger.gid, stranger.gid, stranger.gid)
        os.setresuid(stranger.uid, stranger.uid, stranger.uid)
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen(50)
        os.write(tell, b"x")
        while True:
            connection, _ = server.accept()
            connection.settimeout(2)
            try:
                with heard.open("ab") as file:
                    file.write(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                pass
            connection.close()
    assert os.read(ready, 1) == b"x"
    yield Listener(port, heard)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


READ = "from dvc_bucket import open_dataset; open_dataset('numbers.csv').to_pandas()"


@pytest.mark.parametrize(
    "words",
    [
        ["push"],
        ["pull"],
        ["dvc", "status", "-c"],
        ["verify"],
        ["ls"],
        ["cat", "numbers.csv"],
        ["cp", "numbers.csv", "staged"],
        ["run", "s5cmd", "ls"],
        ["doctor"],
        ["doctor", "--read-only"],
    ],
    ids=" ".join,
)
def test_no_command_sends_a_byte_to_a_stranger(
    project: Project, listener: Listener, stranger: Stranger, words: list[str]
) -> None:
    done = run(project, *words)
    assert listener.heard.read_bytes() == b""
    assert "Traceback" not in done.stdout + done.stderr
    if words == ["ls"] and done.returncode == 0:
        return  # it tells names, which are in git
    assert done.returncode != 0
    told = " ".join((done.stdout + done.stderr).split())
    assert f"Port {listener.port} of this machine belongs to a program of" in told
    assert stranger.name in told
    assert words[0] != "doctor" or "owner of the port" in told


def test_no_python_program_sends_a_byte_to_a_stranger(project: Project, listener: Listener) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ], cwd=project.root, capture_output=True, text=True, check=False
    )
    assert "StrangerError" in done.stderr
    assert listener.heard.read_bytes() == b""


#: How every client of ours is made or told of the endpoint.
CLIENTS: dict[str, Callable[[Settings], Any]] = {
    "aws_environment": clients.aws_environment,
    "boto3": clients.boto3,
    "boto3_options": clients.boto3_options,
    "botocore": clients.botocore,
    "bucket_url": clients.bucket_url,
    "endpoint": clients.endpoint,
    "environment": lambda settings: clients.environment(settings, {}),
    "mc_environment": clients.mc_environment,
    "obstore": clients.obstore,
    "polars": clients.polars,
    "pyarrow": clients.pyarrow,
    "rclone_environment": clients.rclone_environment,
    "s5cmd_environment": clients.s5cmd_environment,
    "storage_options": clients.storage_options,
}

#: All that the package gives out.
NAMES = {name for name, value in vars(clients).items() if name[0] != "_" and not ismodule(value)}

#: What needs no proof, as no client comes of it.
OTHERS = {"ALIAS", "CHECKSUMS", "authorities", "bucket_host", "own_names"}
OTHERS |= {"credentials", "keep_s3fs", "leads_away", "polars_credentials", "proxy", "region"}


def settings_at(endpoint: str) -> Settings:
    return Settings(
        endpoint_url=endpoint,
        bucket_name="research-data",
        access_key_id="key",
        secret_access_key=SecretStr("secret"),
        region="us-east-1",
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("name", sorted(NAMES - OTHERS))
def test_no_client_is_made_for_the_port_of_a_stranger(
    listener: Listener, name: str, host: str
) -> None:
    with pytest.raises(StrangerError, match="Nothing was sent to it"):
        CLIENTS[name](settings_at(f"http://{host}:{listener.port}"))


def test_https_on_this_machine_is_a_tunnel_whose_certificate_proves_it(listener: Listener) -> None:
    endpoint = f"https://127.0.0.1:{listener.port}"
    assert clients.endpoint(settings_at(endpoint)) == endpoint


def test_a_program_of_ours_and_a_port_without_one_are_no_strangers() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert clients.endpoint(settings_at(f"http://127.0.0.1:{port}"))
    free = ports.free_ports(1)[0]
    assert clients.endpoint(settings_at(f"http://127.0.0.1:{free}"))


def test_a_user_is_refused_at_the_store_of_root(store: Project, stranger: Stranger) -> None:
    settings = Settings.load(store)
    with pytest.raises(StrangerError, match="belongs to a program of the user root"):
        stranger.call(lambda: clients.endpoint(settings))


def test_serve_sends_nothing_to_a_stranger_and_takes_another_port(
    project: Project, listener: Listener
) -> None:
    done = run(project, "serve")
    assert done.returncode == 0, done.stderr
    assert f"Port {listener.port} is taken by another program" in done.stdout
    assert listener.heard.read_bytes() == b""
    assert run(project, "pull").returncode == 0
    assert (project.root / "numbers.csv").read_text() == "a,b\n1,2\n"
    Server(project).stop()
