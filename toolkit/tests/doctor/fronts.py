"""What can stand between a client and a store, or in its place: small HTTP servers on loopback."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dvc_bucket import Settings
from dvc_bucket.base.ports import ADDRESS

Headers = dict[str, str]


@dataclass(frozen=True)
class Request:
    """A request as it came; `path` is with its query, the body without the frames of chunks."""

    method: str
    path: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str:
        return next((v for k, v in self.headers.items() if k.lower() == name.lower()), "")

    def without(self, *names: str) -> "Request":
        """The request without headers that begin so."""
        kept = {k: v for k, v in self.headers.items() if not k.lower().startswith(names)}
        return replace(self, headers=kept)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Headers
    body: bytes = b""


#: Sends a request to the server behind.
Ask = Callable[[Request], Reply]

#: What a front does: answer by itself, or ask.
Behaviour = Callable[[Request, Ask], Reply]


class Middle:
    """An HTTP server that does with each request what `behaviour` says.

    Attributes:
        port: where clients connect.
    """

    def __init__(self, behaviour: Behaviour, target: int = 0) -> None:
        self._server = _Server((ADDRESS, 0), _Handler)
        self._server.behaviour, self._server.target = behaviour, target
        self.port = self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="middle", daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Silent:
    """A server that accepts connections and never says a word: its backlog does that alone."""

    def __enter__(self) -> Self:
        self._socket = socket.create_server((ADDRESS, 0))
        self.port = self._socket.getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def always(status: int, body: str, **headers: str) -> Behaviour:
    """The same answer to everything."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request, _ask: Reply(status, named, body.encode())


def signer(settings: Settings) -> Callable[[Request], Request]:
    """Signs requests again, so that a front can change what was signed.

    Args:
        settings: the connection to the store behind.
    """
    assert settings.secret_access_key
    keys = Credentials(settings.access_key_id, settings.secret_access_key.get_secret_value())

    def sign(request: Request) -> Request:
        kept = request.without("authorization", "x-amz-", "content-", "host", "expect")
        url = f"{settings.endpoint_url}{request.path}"
        signed = AWSRequest(request.method, url, data=request.body, headers=kept.headers)
        S3SigV4Auth(keys, "s3", "us-east-1").add_auth(signed)
        host = settings.endpoint_url.removeprefix("http://")
        return replace(kept, headers={"Host": host, **dict(signed.headers.items())})

    return sign


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    behaviour: Behaviour
    target: int


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def _answer(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            request = Request(self.command, self._path(), dict(self.headers.items()), self._body())
            reply = self.server.behaviour(request, self._ask)
            self.send_response_only(reply.status)
            has_length = self.command == "HEAD" and "Content-Length" in reply.headers
            for name, value in reply.headers.items():
                if name.lower() not in {"transfer-encoding", "connection"}:
                    self.send_header(name, value)
            if not (has_length or self.command == "CONNECT" or "Content-Length" in reply.headers):
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command == "CONNECT" and reply.status == HTTPStatus.OK:
                self._tunnel()
            elif self.command != "HEAD":
                self.wfile.write(reply.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_CONNECT = _answer  # noqa: N815

    def _tunnel(self) -> None:
        """Move bytes both ways between the client and the server at that port, until one ends."""
        port = self.path.rpartition(":")[2]
        with socket.create_connection((ADDRESS, int(port))) as behind:
            back = threading.Thread(target=_copy, args=(behind, self.connection), daemon=True)
            back.start()
            _copy(self.connection, behind)
        back.join()
        self.close_connection = True

    def _path(self) -> str:
        """Path and query, where the client takes us for its proxy as well."""
        parts = urlsplit(self.path)
        return f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _ask(self, request: Request) -> Reply:
        """Send it to the server behind, with the length of its body as it is now."""
        headers = request.without("transfer-encoding", "content-length", "expect").headers
        if request.body or request.method in {"PUT", "POST"}:
            headers["Content-Length"] = str(len(request.body))
        connection = http.client.HTTPConnection(ADDRESS, self.server.target, timeout=30)
        with contextlib.closing(connection):
            connection.putrequest(
                request.method, request.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(request.body or None)
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(64 * 1024):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
