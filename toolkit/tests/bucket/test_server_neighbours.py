"""The embedded store beside other programs: stores to share, servers to avoid, proxies to pass."""

import http.server
import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
from dotenv import dotenv_values

from dvc_bucket import Project, Settings
from dvc_bucket.connection.clients import aws_environment
from dvc_bucket.connection.env_file import create_env, set_endpoint
from tests.bucket.store_tools import get, pid_of, put, run


class SaysYes(http.server.BaseHTTPRequestHandler):
    """Answers 200 to whatever is asked, as many a development server does."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_PUT(self) -> None:
        self.do_HEAD()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def says_yes() -> Iterator[int]:
    """Port of a server that answers 200 to everything."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SaysYes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_store_that_takes_our_key_is_used_as_it_is(
    store: Project, new_project: Callable[[str], Project]
) -> None:
    second = new_project("second")
    shutil.copy(store.env_file, second.env_file)
    before = second.env_file.read_bytes()
    assert "the store of another clone serves" in run(second, "serve").stdout.lower()
    assert second.env_file.read_bytes() == before
    put(second, "neighbours/shared", b"seen by both")
    assert get(store, "neighbours/shared") == b"seen by both"
    assert run(second, "serve", "--stop").stdout == "No object store was running.\n"
    assert pid_of(store)


def test_a_server_that_says_yes_to_everything_is_not_taken_for_the_store(
    project: Project, says_yes: int
) -> None:
    create_env(project)
    set_endpoint(project, f"http://127.0.0.1:{says_yes}")
    assert f"Port {says_yes} is taken" in run(project, "serve").stdout
    assert dotenv_values(project.env_file)["OS_ENDPOINT_URL"] != f"http://127.0.0.1:{says_yes}"
    put(project, "neighbours/real", b"x")
    assert get(project, "neighbours/real") == b"x"


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
def test_requests_to_this_machine_pass_by_the_proxy(
    store: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port: nobody listens
    monkeypatch.setenv("no_proxy", "example.org")
    put(store, "neighbours/proxied", b"x")
    assert get(store, "neighbours/proxied") == b"x"
    environment = aws_environment(Settings.load(store))
    assert set(environment["no_proxy"].split(",")) == {"example.org", "127.0.0.1", "localhost"}
