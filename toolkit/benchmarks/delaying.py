"""A forwarder that lets every byte to a server arrive later, as over a network, and counts.

`python benchmarks/delaying.py PORT MILLISECONDS` prints the port where it listens, and forwards to
PORT on this machine. A request takes so much longer; a stream is as fast as before. For every line
on its standard input it prints the requests, and the bytes that came back, since the one before.
"""

import asyncio
import contextlib
import re
import sys
import time
from collections import Counter
from collections.abc import Callable

#: Bytes of a stream moved at a time, and how many such pieces may be on their way.
PIECE = 256 * 1024
PIECES = 256

ADDRESS = "127.0.0.1"

#: How a request begins. Nobody sends one before the answer to the one before it, so that it is also
#: where a piece begins.
REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|DELETE) /")

#: What went through.
counts: Counter[str] = Counter()


async def forward(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    delay: float,
    count: Callable[[bytes], None],
) -> None:
    """Move bytes one way, each `delay` seconds after it came, until the sender hangs up."""
    on_their_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(PIECES)

    async def deliver() -> None:
        while True:
            due, piece = await on_their_way.get()
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if not piece:
                return
            writer.write(piece)
            await writer.drain()

    delivery = asyncio.create_task(deliver())
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE):
            count(piece)
            await on_their_way.put((time.monotonic() + delay, piece))
        await on_their_way.put((time.monotonic() + delay, b""))
        await delivery
    delivery.cancel()
    writer.close()


def count_requests(piece: bytes) -> None:
    """Of what a client sent."""
    if REQUEST.match(piece):
        counts["requests"] += 1


def count_bytes(piece: bytes) -> None:
    """Of what came back, headers included."""
    counts["bytes"] += len(piece)


def tell() -> None:
    """Print the counts, and begin anew; end where nobody is left to ask."""
    if not sys.stdin.readline():
        sys.exit()
    print(counts["requests"], counts["bytes"], flush=True)
    counts.clear()


async def serve(port: int, delay: float) -> None:
    """Forward every connection to `port`."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(ADDRESS, port, limit=PIECE)
        await asyncio.gather(
            forward(reader, behind_writer, delay, count_requests),
            forward(behind_reader, writer, 0.0, count_bytes),
        )

    server = await asyncio.start_server(connected, ADDRESS, 0, limit=PIECE, backlog=1024)
    asyncio.get_running_loop().add_reader(sys.stdin, tell)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
