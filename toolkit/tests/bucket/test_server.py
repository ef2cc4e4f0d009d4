"""The running embedded store: what `bucket serve` promises of it."""

import json
import os
import stat
import subprocess
import time
from pathlib import Path

import obstore
import psutil
import pytest
from dotenv import dotenv_values

from dvc_bucket import Project, Settings
from dvc_bucket.store import seaweed
from dvc_bucket.store.server import Server
from tests.bucket.store_tools import BUCKET, files, get, pid_of, put, run, secret_of


def test_ready_means_that_objects_go_in_and_come_out(store: Project) -> None:
    put(store, "round/trip", b"\x00bytes")
    assert get(store, "round/trip") == b"\x00bytes"


def test_a_wrong_secret_is_refused(store: Project) -> None:
    put(store, "guarded", b"x")
    wrong = Settings.load(store, {"OS_SECRET_ACCESS_KEY": "0" * 40})
    with pytest.raises(obstore.exceptions.PermissionDeniedError):
        obstore.get(wrong.obstore(), "guarded")


def test_a_bucket_that_does_not_exist_is_not_created_by_an_upload(store: Project) -> None:
    other = Settings.load(store, {"OS_BUCKET_NAME": "not-made-yet"})
    with pytest.raises(FileNotFoundError, match="NoSuchBucket"):
        obstore.put(other.obstore(), "key", b"x")


def test_every_port_is_on_loopback_and_none_is_where_outgoing_ones_are(
    store: Project,
) -> None:
    process = psutil.Process(pid_of(store))
    listening = [
        connection.laddr
        for member in (process, *process.children(recursive=True))
        for connection in member.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN or not connection.raddr
    ]
    assert Settings.load(store).port in {address.port for address in listening}
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert max(address.port for address in listening) < 32_768


def sockets_in_tmp(process: psutil.Process) -> set[str]:
    opened = {str(connection.laddr) for connection in process.net_connections("unix")}
    return {path for path in opened if path.startswith("/tmp")}


def test_nothing_of_it_can_be_read_by_others(store: Project) -> None:
    assert stat.S_IMODE(store.store.stat().st_mode) == 0o700
    for name in ("identities.json", "security.toml", "key.pem", "state.json", "store.log"):
        assert stat.S_IMODE((store.store / name).stat().st_mode) == 0o600
    process = psutil.Process(pid_of(store))
    sockets = seaweed.sockets(process)
    # S3 is ready before the last of the inner servers has opened its socket.
    deadline = time.monotonic() + 20
    while (opened := sockets_in_tmp(process)) < set(sockets) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert opened == set(sockets)
    assert all(Path(path).stat().st_mode & 0o077 == 0 for path in sockets)


def test_no_secret_on_a_command_line_in_the_log_or_in_the_status(store: Project) -> None:
    secret = secret_of(Settings.load(store))
    process = psutil.Process(pid_of(store))
    shown = (
        " ".join(process.cmdline()),
        json.dumps(process.environ()),
        store.store_log.read_text(),
        run(store, "serve", "--status", "--json").stdout,
        run(store, "serve", "--status").stdout,
        run(store, "serve").stdout,
    )
    assert all(shown)
    assert not [text for text in shown if secret in text]
    # `weed mini` would make a second administrator of the AWS_* names, and note it in its folder.
    assert set(process.environ()) == {"PATH", "HOME", "GOMEMLIMIT"}


def test_env_is_private_and_says_the_same_to_dotenv_and_to_a_shell(store: Project) -> None:
    assert stat.S_IMODE(store.env_file.stat().st_mode) == 0o600
    values = dotenv_values(store.env_file)
    assert values["AWS_ACCESS_KEY_ID"] == values["OS_ACCESS_KEY_ID"]
    assert values["AWS_SECRET_ACCESS_KEY"] == values["OS_SECRET_ACCESS_KEY"]
    assert values["AWS_ENDPOINT_URL"] == values["OS_ENDPOINT_URL"]
    shell = subprocess.run(
        ["sh", "-c", "set -a; . ./.env; env"],
        cwd=store.root,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    seen = dict(line.split("=", 1) for line in shell.stdout.splitlines())
    assert {name: seen[name] for name in values} == values


def test_env_keeps_the_comments_of_the_example(store: Project) -> None:
    def comments(path: Path) -> list[str]:
        return [line for line in path.read_text().splitlines() if line.startswith("#")]

    assert comments(store.env_file) == comments(store.env_example) != []


def test_a_second_serve_finds_it_running(store: Project) -> None:
    before, pid = files(store.root), pid_of(store)
    started = time.monotonic()
    again = run(store, "serve")
    seconds = time.monotonic() - started
    assert again.returncode == 0
    assert f"already running at {Settings.load(store).endpoint_url}" in again.stdout
    assert pid_of(store) == pid
    assert files(store.root) == before
    assert seconds < 3  # 0.3 on a quiet machine; nothing heavy is imported


def test_serve_works_from_a_folder_below(store: Project) -> None:
    below = store.root / "data" / "raw"
    below.mkdir(parents=True)
    result = subprocess.run(
        [BUCKET, "serve"], cwd=below, capture_output=True, text=True, timeout=60, check=False
    )
    assert "already running" in result.stdout


def test_status_names_endpoint_bucket_pid_and_folder(store: Project) -> None:
    result = run(store, "serve", "--status")
    assert result.returncode == 0
    for part in (Settings.load(store).endpoint_url, "research-data", str(store.store)):
        assert part in result.stdout
    found = json.loads(run(store, "serve", "--status", "--json").stdout)
    assert (found["state"], found["pid"]) == ("running", pid_of(store))
    assert found["size_bytes"] > 0


def test_tracked_files_stay_and_dvc_needs_no_override(project: Project) -> None:
    Server(project).start()
    # As root, DVC is kept from linking to the cache; of the connection nothing is overridden.
    roots_own = {".dvc/config.local"} if os.geteuid() == 0 else set()
    assert set(files(project.root)) == {".dvc/config", ".env", ".env.example"} | roots_own
    assert 'remote "' not in files(project.root).get(".dvc/config.local", b"").decode()
