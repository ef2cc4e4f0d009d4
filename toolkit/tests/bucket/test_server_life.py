"""Starting, stopping, moving and refusing to start the embedded store."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from dotenv import dotenv_values

from dvc_bucket import BucketError, Project, Settings
from dvc_bucket.base import ports
from dvc_bucket.base.errors import ServerError, SettingsError
from dvc_bucket.connection.dvc_config import default_remote, set_overrides
from dvc_bucket.store import seaweed
from dvc_bucket.store.server import Server
from tests.bucket.store_tools import BUCKET, files, get, own_options, pid_of, put, run


@pytest.fixture
def listener() -> socket.socket:
    """Somebody else's server, on a port of its own."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return server


def test_data_survives_a_restart_and_stop_leaves_nothing_behind(project: Project) -> None:
    Server(project).start()
    big = os.urandom(6 * 1024**2)  # more than one of the store's chunks
    put(project, "big", big)
    process = psutil.Process(pid_of(project))
    listening = [c.laddr.port for c in process.net_connections("inet") if c.status == "LISTEN"]
    sockets = seaweed.sockets(process)
    assert Server(project).stop()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert all(ports.is_free(port) for port in listening)
    assert not [path for path in sockets if Path(path).exists()]
    assert run(project, "serve", "--status").returncode == 1
    assert run(project, "serve", "--stop").stdout == "No object store was running.\n"
    Server(project).start()
    assert get(project, "big") == big


def test_data_survives_kill_9_and_a_died_store_is_reported_and_restarted(
    project: Project,
) -> None:
    Server(project).start()
    for number in range(100):
        put(project, f"key/{number}", b"%d" % number)
    pid = pid_of(project)
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    report = run(project, "serve", "--status")
    assert report.returncode == 1
    assert "died" in report.stdout
    assert str(project.store_log) in report.stdout
    leftover = json.loads(project.store_state.read_text())["sockets"]
    assert Server(project).start().started
    assert not [path for path in leftover if Path(path).exists()]
    assert [get(project, f"key/{number}") for number in range(100)] == [
        b"%d" % number for number in range(100)
    ]


def test_serves_at_the_same_instant_start_one_store(project: Project) -> None:
    both = [
        subprocess.Popen([BUCKET, "serve"], cwd=project.root, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=90)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0, 0]
    assert sorted("already running" in output for output in outputs) == [False, True, True]


def test_two_clones_starting_at_once_on_one_port_both_work(
    new_project: Callable[[str], Project],
) -> None:
    first, second = new_project("first"), new_project("second é, with space")
    second.dvc_config.write_bytes(first.dvc_config.read_bytes())
    both = [
        subprocess.Popen([BUCKET, "serve"], cwd=clone.root, stdout=subprocess.PIPE, text=True)
        for clone in (first, second)
    ]
    outputs = [process.communicate(timeout=90)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    put(first, "whose", b"first")
    put(second, "whose", b"second")
    assert (get(first, "whose"), get(second, "whose")) == (b"first", b"second")


def test_a_taken_port_moves_the_store_and_changes_only_what_git_ignores(
    project: Project, listener: socket.socket
) -> None:
    with listener:
        tracked = files(project.root)
        wanted = default_remote(project)["endpointurl"]
        listener.bind(("127.0.0.1", int(wanted.rsplit(":", 1)[1])))
        listener.listen()
        project.dvc_config_local.write_text("[core]\n    loglevel = info\n")
        first = run(project, "serve")
        assert first.returncode == 0, first.stderr
        moved = Settings.load(project).endpoint_url
        assert moved != wanted
        assert f"Port {wanted.rsplit(':', 1)[1]} is taken" in first.stdout
        assert moved in first.stdout
        put(project, "a", b"1")
        after = files(project.root)
        assert {name: after[name] for name in tracked} == tracked
        assert set(after) - set(tracked) == {".env", ".dvc/config.local"}
        example = dotenv_values(project.env_example)
        changed = {n for n, v in dotenv_values(project.env_file).items() if v != example[n]}
        assert changed == {
            f"{kind}_{name}"
            for kind in ("OS", "AWS")
            for name in ("ENDPOINT_URL", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
        } | {"OS_BUCKET_NAME"}
        assert stat.S_IMODE(project.env_file.stat().st_mode) == 0o600
        assert stat.S_IMODE(project.dvc_config_local.stat().st_mode) == 0o600
        assert own_options(project) == {
            "core": {"loglevel": "info"},
            'remote "storage"': {"endpointurl": moved},
        }
    # The other server is gone, and .env names the old port again: the override goes too.
    text = project.env_file.read_text()
    project.env_file.write_text(text.replace(moved, wanted))
    assert Server(project).start().endpoint == wanted
    assert get(project, "a") == b"1"
    assert own_options(project) == {"core": {"loglevel": "info"}}


def test_dvc_itself_reads_the_override(project: Project) -> None:
    set_overrides(project, {"endpointurl": "http://127.0.0.1:9"})
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)
    shown = subprocess.run(
        [BUCKET.with_name("dvc"), "config", "remote.storage.endpointurl"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "http://127.0.0.1:9"


def test_a_taken_port_that_the_environment_names_is_an_error(
    project: Project, listener: socket.socket
) -> None:
    with listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        result = run(project, "serve", OS_ENDPOINT_URL=endpoint)
    assert result.returncode == 1
    assert "OS_ENDPOINT_URL (environment) is taken" in result.stderr
    assert not project.store_state.exists()


def test_a_living_process_of_someone_else_is_never_killed(project: Project) -> None:
    project.store.mkdir()
    with subprocess.Popen(["sleep", "60"], cwd=project.store) as foreign:
        try:
            project.store_state.write_text(json.dumps({"pid": foreign.pid, "endpoint": "x"}))
            assert Server(project).status().state == "died"
            assert not Server(project).stop()
            assert foreign.poll() is None
            assert not project.store_state.exists()
        finally:
            foreign.kill()


def test_the_store_of_another_clone_is_never_killed(project: Project, store: Project) -> None:
    project.store.mkdir()
    shutil.copy(store.store_state, project.store_state)
    assert not Server(project).stop()
    assert Server(store).status().state == "running"
    sockets = json.loads(store.store_state.read_text())["sockets"]
    assert all(Path(path).exists() for path in sockets)
    put(store, "still/there", b"1")


def test_a_store_whose_state_file_was_deleted_is_still_found_and_ended(project: Project) -> None:
    for act in (Server(project).start, Server(project).stop):
        process = psutil.Process(Server(project).start().pid)
        project.store_state.unlink()
        assert act()
        assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_an_existing_env_is_used_and_stays_as_it_is(project: Project) -> None:
    text = project.env_example.read_text().replace("<your-access-key>", "my-own-key")
    text = text.replace("<your-secret-key>", "my-own-secret-0123")
    text = text.replace("<your-endpoint>", default_remote(project)["endpointurl"])
    text = text.replace("<your-bucket>", "research-data")
    project.env_file.write_text(text + "# mine\r\n\nOTHER=1")
    before = project.env_file.read_bytes()
    Server(project).start()
    assert project.env_file.read_bytes() == before
    put(project, "a", b"1")
    # New keys in .env are the store's keys after the next `serve`.
    project.env_file.write_text(text.replace("my-own-key", "my-new-key"))
    assert Server(project).start().started
    assert get(project, "a") == b"1"


def test_an_env_that_is_not_filled_in_is_one_clear_sentence(project: Project) -> None:
    shutil.copy(project.env_example, project.env_file)
    with pytest.raises(SettingsError, match=r"OS_ENDPOINT_URL.*not filled in.*delete \.env"):
        Server(project).start()


def test_a_store_elsewhere_is_not_served(project: Project) -> None:
    elsewhere = {"OS_ENDPOINT_URL": "https://s3.example.org"}
    refused = run(project, "serve", **elsewhere)
    assert refused.returncode == 1
    assert "OS_ENDPOINT_URL (environment)" in refused.stderr
    assert "return to the embedded store" in refused.stderr
    quiet = run(project, "serve", "--if-embedded", **elsewhere)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert not project.env_file.exists()
    assert not project.store.exists()


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="a small file system can only be mounted by root, with `unshare`",
)
def test_a_full_disk_is_refused_in_words(project: Project) -> None:
    project.store.mkdir()
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size=50M none .bucket && {BUCKET} serve"],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert f"{project.store} is on a disk with 50 MB free" in result.stderr
    assert "needs 512 MB" in result.stderr


def test_a_store_that_cannot_start_says_why_and_leaves_no_process(project: Project) -> None:
    data = project.store / "data"
    data.mkdir(parents=True)
    (data / "filerldb2").write_text("not a folder")
    with pytest.raises(ServerError, match=r"store\.log, says: \S+"):
        Server(project).start()
    assert seaweed.find(project) is None
    assert not project.store_state.exists()
    opened = re.findall(r"Unix socket (/tmp/\S+)", project.store_log.read_text())
    assert opened
    assert not [path for path in opened if Path(path).exists()]


def test_every_failure_is_an_error_of_ours() -> None:
    assert issubclass(ServerError, BucketError)
    assert issubclass(SettingsError, BucketError)
