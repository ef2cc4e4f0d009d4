"""A front for a store that reads the HTTP it forwards: it counts, and changes what comes back."""

import contextlib
import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from dvc_bucket.base.ports import ADDRESS

#: Header lines, in order.
Headers = list[tuple[str, str]]

#: Bytes held of a body at a time.
PIECE = 256 * 1024

#: Statuses that never have a body, whatever their headers say.
BODILESS = {204, 304}


@dataclass
class Exchange:
    """One request and its response; sizes are of the bodies, headers are the request's.

    What a client has received is counted: nothing need be waited for.
    """

    method: str
    path: str
    status: int
    sent: int
    received: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)


class PlainFront:
    """An HTTP/1.1 forwarder on loopback, for one server behind it; put a TLS front before it.

    Attributes:
        target: port of the server behind.
        port: where clients connect.
        exchanges: what went through, in the order of the responses.
    """

    def __init__(
        self,
        target: int,
        change: Callable[[Headers], Headers] = list,
        change_body: Callable[[Exchange, bytes], bytes] = lambda _, piece: piece,
        refuse: Callable[[str, str, Mapping[str, str]], tuple[int, bytes] | None] = lambda *_: None,
    ) -> None:
        """Take what headers and pieces of the body of a response become; by default they stay.

        `refuse` gets the method, path and headers of a request; it returns the status and body with
        which the front answers in the place of the server behind, or None to forward the request.
        """
        self.exchanges: list[Exchange] = []
        self._server = _Server(target, change, self.exchanges)
        self._server.change_body, self._server.refuse = change_body, refuse
        self.target, self.port = target, self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.port}"

    def start(self) -> Self:
        """Answer, in threads of this process."""
        threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="plain-front", daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Close the port; connections end with their clients."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def shifted_date(by: timedelta) -> Callable[[Headers], Headers]:
    """A change for `PlainFront`: the server's clock is wrong `by` so much."""

    def change(headers: Headers) -> Headers:
        return [
            (name, format_datetime(parsedate_to_datetime(value) + by, usegmt=True))
            if name.lower() == "date"
            else (name, value)
            for name, value in headers
        ]

    return change


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(
        self, target: int, change: Callable[[Headers], Headers], exchanges: list[Exchange]
    ) -> None:
        super().__init__((ADDRESS, 0), _Handler)
        self.target, self.change, self.exchanges = target, change, exchanges
        self.change_body: Callable[[Exchange, bytes], bytes] = lambda _, piece: piece
        self.refuse: Callable[[str, str, Mapping[str, str]], tuple[int, bytes] | None]


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client, with one of its own to the server behind."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.behind = http.client.HTTPConnection(ADDRESS, self.server.target)

    def finish(self) -> None:
        self.behind.close()
        super().finish()

    def log_message(self, *_: Any) -> None:
        """Print nothing: `exchanges` is the log."""

    def _forward(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if refusal := self.server.refuse(self.command, self.path, headers):
            sent = sum(map(len, self._request_body()))
            self.server.exchanges.append(
                Exchange(self.command, self.path, refusal[0], sent, headers=headers)
            )
            self.send_response_only(refusal[0])
            self.send_header("Content-Length", str(len(refusal[1])))
            self.end_headers()
            self.wfile.write(refusal[1])
            return
        try:
            sent = self._send_request()
            response = self.behind.getresponse()
            exchange = Exchange(self.command, self.path, response.status, sent, headers=headers)
            self.server.exchanges.append(exchange)  # one step: no thread loses another's
            with contextlib.closing(response):
                self._send_response(response, exchange)
        except (OSError, http.client.HTTPException):  # either side hung up; so do we
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = _forward  # noqa: N815

    def _send_request(self) -> int:
        self.behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "expect":  # answered by the base class already
                self.behind.putheader(name, value)
        self.behind.endheaders()
        sent = 0
        for piece in self._request_body():
            self.behind.send(piece)
            sent += len(piece)
        return sent

    def _request_body(self) -> Iterator[bytes]:
        """The body as it is on the wire, chunks with their frames."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            left = int(self.headers.get("Content-Length", 0))
            while left and (piece := self.rfile.read(min(left, PIECE))):
                left -= len(piece)
                yield piece
            return
        while True:
            line = self.rfile.readline()
            yield line
            size = int(line.split(b";")[0], 16)
            yield self.rfile.read(size + 2)  # with its line end
            if size == 0:
                return

    def _send_response(self, response: http.client.HTTPResponse, exchange: Exchange) -> None:
        self.send_response_only(response.status, response.reason)
        for name, value in self.server.change(response.getheaders()):
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD" or response.status in BODILESS:
            return
        while piece := response.read(PIECE):
            exchange.received += len(piece)
            piece = self.server.change_body(exchange, piece)
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if response.chunked else piece)
        if response.chunked:
            self.wfile.write(b"0\r\n\r\n")
        elif response.will_close or response.length:  # some length left: it broke off
            self.close_connection = True
