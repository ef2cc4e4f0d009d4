"""A proxy before a store on loopback that has bad days, and counts; the same for the same seed.

In a test: `with FaultProxy(port, Faults("status", every=5)) as proxy:`, then `proxy.url`. Assign
`proxy.faults` for other weather, and call `proxy.go_down(3)` for a port that refuses connections.

As a program, for a benchmark: `python -m tests.stores.fault_proxy PORT [CERTIFICATE]` prints the
port where it listens. For each line of JSON on its standard input, the arguments of `Faults`, it
prints what went through since the line before (requests, bytes of responses); then it has those
faults.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from tests.stores.faults import CODES, Exchange, Faults
from tests.stores.http_messages import PIECE, Head, read_body, read_head, response_of

ADDRESS = "127.0.0.1"


class FaultProxy:
    """An HTTP/1.1 proxy on loopback for one server behind it.

    Args:
        target: the server's port.
        faults: the weather; none by default.
        certificate: PEM file with key and chain, for TLS.

    Attributes:
        port: where clients connect; known once started, and kept.
        exchanges: what went through, in the order of the ends.
        size: bytes of bodies that went back.
    """

    def __init__(
        self, target: int, faults: Faults | None = None, certificate: Path | None = None
    ) -> None:
        self.port, self.size = 0, 0
        self.exchanges: list[Exchange] = []
        self._target, self._context = target, None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.faults = faults or Faults()

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://{ADDRESS}:{self.port}"

    @property
    def faults(self) -> Faults:
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults, self._began = faults, time.monotonic()
        self._seen = self._concerned = 0
        self._free_at = {"up": 0.0, "down": 0.0}

    def go_down(self, seconds: float) -> None:
        """Reset every connection, and refuse new ones for a while."""
        self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._down(seconds)))

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._listen())
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="fault-proxy", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def serve(self, asked: Callable[["FaultProxy"], None]) -> None:
        """Run as a program; `asked` is called where there is something on standard input."""
        self._loop = asyncio.get_running_loop()
        await self._listen()
        print(self.port, flush=True)
        self._loop.add_reader(sys.stdin, asked, self)
        await asyncio.Event().wait()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._connected, ADDRESS, self.port, ssl=self._context, limit=PIECE, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            _reset(writer)
        await asyncio.sleep(0)

    async def _down(self, seconds: float) -> None:
        await self._close()
        await asyncio.sleep(seconds)
        await self._listen()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # it was shaking hands when the port went down
            _reset(writer)
            return
        self._writers.add(writer)
        behind: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        with contextlib.suppress(OSError, EOFError, ValueError):  # a side hung up; so do we
            while await self._exchange(reader, writer, behind):
                pass
        for each in (writer, *(pair[1] for pair in behind)):
            each.close()
        self._writers.discard(writer)

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        behind: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    ) -> bool:
        """Forward one request and its response; whether the connection goes on."""
        request = await read_head(reader)
        method, path, _ = request.first.split(" ")
        now, faults = time.monotonic(), self._faults
        is_faulty = self._meets(faults, method, now)
        note = partial(self._note, method, path, now, is_faulty=is_faulty)
        await asyncio.sleep(faults.latency)
        if is_faulty and faults.kind == "reset":
            note(0)
            _reset(writer)
            return False
        if is_faulty and faults.kind == "silent":
            note(0)
            while await reader.read(PIECE):
                pass
            return False
        if request.get("expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._paced("up", read_body(reader, request))
        if is_faulty and faults.kind in {"status", "redirect"}:
            async for _ in body:
                pass
            note(faults.status if faults.kind == "status" else 307)
            writer.write(_answer(faults, path, has_body=method != "HEAD"))
            await writer.drain()
            return True
        if not behind:
            behind.append(await asyncio.open_connection(ADDRESS, self._target, limit=PIECE))
        back_reader, back_writer = behind[0]
        kept = [each for each in request.headers if each[0].lower() != "expect"]
        back_writer.write(Head(request.first, kept).bytes())
        async for piece in body:
            back_writer.write(piece)
            await back_writer.drain()
        response = await read_head(back_reader)
        note(int(response.first.split(" ")[1]))
        fault = faults.kind if is_faulty else ""
        return await self._respond(method, response, back_reader, writer, fault)

    def _meets(self, faults: Faults, method: str, now: float) -> bool:
        self._seen += 1
        if faults.down[1] and self._seen == faults.down[0]:
            self._loop.create_task(self._down(faults.down[1]))
        if not faults.concerns(method):
            return False
        self._concerned += 1
        return faults.meets(self._concerned - 1, now - self._began)

    def _note(self, method: str, path: str, at: float, status: int, *, is_faulty: bool) -> None:
        self.exchanges.append(Exchange(method, unquote(path), status, at, is_faulty))

    async def _respond(
        self,
        method: str,
        response: Head,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        fault: str,
    ) -> bool:
        """Send a response on; whether the connection goes on."""
        status = response.first.split(" ")[1]
        size = int(response.get("content-length") or 0)
        left = size // 2 if fault in {"cut", "short"} else sys.maxsize
        if fault == "whole" and status == "206":
            response = Head("HTTP/1.1 200 OK", response.headers)
        elif fault == "etag":
            response = response.replaced("ETag", f'"{"0" * 32}"')
        elif fault == "short":
            response = response.replaced("Content-Length", str(left))
        writer.write(response.bytes())
        if method != "HEAD" and status not in {"204", "304"}:
            async for piece in self._paced("down", read_body(reader, response_of(response, size))):
                changed = bytes([piece[0] ^ 1]) + piece[1:] if fault == "flip" else piece
                writer.write(changed[:left])
                self.size += len(piece)
                left -= len(changed[:left])
                await writer.drain()
                if not left and fault == "cut":
                    return False
        await writer.drain()
        return fault != "close" and response.get("connection").lower() != "close"

    async def _paced(self, way: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces, no faster than the rate of the weather."""
        async for piece in pieces:
            rate = self._faults.rate
            if rate:
                start = max(self._free_at[way], time.monotonic())
                self._free_at[way] = start + len(piece) / rate
                await asyncio.sleep(self._free_at[way] - time.monotonic())
            yield piece


def _answer(faults: Faults, path: str, *, has_body: bool) -> bytes:
    """What a request gets in the place of its answer."""
    if faults.kind == "redirect":
        location = f"Location: http://{ADDRESS}:1{urlsplit(path).path}\r\n"
        return f"HTTP/1.1 307 Temporary Redirect\r\n{location}Content-Length: 0\r\n\r\n".encode()
    code = CODES.get(faults.status, "InternalError")
    body = f"<Error><Code>{code}</Code><Message>later</Message><RequestId>1</RequestId></Error>"
    after = f"Retry-After: {faults.retry_after}\r\n" if faults.retry_after else ""
    head = f"HTTP/1.1 {faults.status} {code}\r\n{after}Content-Type: application/xml\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body if has_body else ''}".encode()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST, as a machine does that has forgotten it."""
    if (raw := writer.get_extra_info("socket")) and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _asked(proxy: FaultProxy) -> None:
    """Print the counts and begin again with other faults; end where nobody is left to ask."""
    line = sys.stdin.readline()
    if not line:
        sys.exit()
    print(len(proxy.exchanges), proxy.size, flush=True)
    proxy.exchanges.clear()
    proxy.size, proxy.faults = 0, Faults(**json.loads(line))


if __name__ == "__main__":
    CERTIFICATE = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    asyncio.run(FaultProxy(int(sys.argv[1]), certificate=CERTIFICATE).serve(_asked))
