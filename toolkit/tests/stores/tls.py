"""TLS as in the world: an authority that issues good and bad certificates, and a front for a store.

Clients behave otherwise over https than over plain http on loopback (botocore, for one, sends
checksums as trailers), and real stores are reached by https: so the tests' stores are as well.
"""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dvc_bucket.base.files import write_private
from dvc_bucket.base.ports import ADDRESS

#: What the good certificates are for.
NAMES = ("localhost", ADDRESS, "store.example")

#: Bytes moved at a time, and held for each direction of a connection.
PIECE = 256 * 1024


class Authority:
    """A certificate authority that nobody trusts but those who are given its `bundle`.

    A certificate is one PEM file: the private key, then the chain.

    Attributes:
        bundle: PEM file with the certificate of the authority.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = trustme.CA()
        self.bundle = folder / "authority.pem"
        self.bundle.write_bytes(self._authority.cert_pem.bytes())

    def good(self) -> Path:
        return self._issue("good", *NAMES)

    def expired(self) -> Path:
        """Good until yesterday."""
        now = datetime.now(UTC)
        return self._issue("expired", *NAMES, start=now - timedelta(2), end=now - timedelta(1))

    def not_yet_valid(self) -> Path:
        """Good from tomorrow on."""
        now = datetime.now(UTC)
        return self._issue("early", *NAMES, start=now + timedelta(1), end=now + timedelta(2))

    def wrong_name(self) -> Path:
        """Good, but for another host."""
        return self._issue("wrong-name", "storage.example.org")

    def self_signed(self) -> Path:
        """Good names and dates, but signed by nobody else."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(1))
            .not_valid_after(now + timedelta(1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAMES[0])]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._write("self-signed", private + certificate.public_bytes(pem))

    def _issue(
        self, file: str, *names: str, start: datetime | None = None, end: datetime | None = None
    ) -> Path:
        issued = self._authority.issue_cert(*names, not_before=start, not_after=end)
        return self._write(file, issued.private_key_and_cert_chain_pem.bytes())

    def _write(self, name: str, pem: bytes) -> Path:
        path = self._folder / f"{name}.pem"
        write_private(path, pem.decode())
        return path


class Front:
    """TLS in front of a server on loopback: bytes go both ways as they are, none is kept.

    Attributes:
        target: port of the server behind.
        port: where clients connect; known once started.
    """

    def __init__(self, target: int, certificate: Path) -> None:
        self.target = target
        self.port = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"https://{ADDRESS}:{self.port}"

    def start(self) -> Self:
        """Listen, in a thread of this process.

        Raises:
            OSError: it cannot.
        """
        listening: Future[tuple[int, Callable[[], object]]] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listening)), name="tls-front", daemon=True
        )
        self._thread.start()
        self.port, self._end = listening.result(timeout=10)
        return self

    def stop(self) -> None:
        """Close the port and every connection; the server behind goes on."""
        if self._thread:
            self._end()
            self._thread.join(timeout=10)
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _serve(self, listening: "Future[tuple[int, Callable[[], object]]]") -> None:
        """Accept connections until the event that `listening` is told how to set."""
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        ending = loop.create_task(end.wait())
        open_connections: set[asyncio.Task[None] | None] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            open_connections.add(asyncio.current_task())
            with contextlib.suppress(OSError):  # the server behind is down: hang up
                await self._forward(reader, writer, ending)
            writer.close()
            open_connections.discard(asyncio.current_task())

        try:
            server = await asyncio.start_server(
                connected, ADDRESS, 0, ssl=self._context, limit=PIECE, backlog=1024
            )
        except OSError as error:
            listening.set_exception(error)
            return
        port = server.sockets[0].getsockname()[1]
        listening.set_result((port, partial(loop.call_soon_threadsafe, end.set)))
        await ending
        server.close()
        await asyncio.gather(*filter(None, open_connections))

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ending: asyncio.Task[bool]
    ) -> None:
        """Move bytes both ways until one side hangs up, or `ending` is done."""
        back_reader, back_writer = await asyncio.open_connection(ADDRESS, self.target, limit=PIECE)
        copies = {
            asyncio.create_task(_copy(reader, back_writer)),
            asyncio.create_task(_copy(back_reader, writer)),
        }
        await asyncio.wait({*copies, ending}, return_when=asyncio.FIRST_COMPLETED)
        for copy in copies:
            copy.cancel()
        back_writer.close()
        if ending.done():
            writer.transport.abort()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Move what `source` gives to `sink`, no faster than that takes it, until `source` ends."""
    with contextlib.suppress(OSError):
        while piece := await source.read(PIECE):
            sink.write(piece)
            await sink.drain()
