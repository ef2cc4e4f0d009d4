"""HTTP/1.1 as it is on the wire: heads, and bodies in pieces."""

from asyncio import StreamReader
from collections.abc import AsyncIterator
from typing import NamedTuple

#: Bytes of a body moved at a time, and at most of a head.
PIECE = 256 * 1024


class Head(NamedTuple):
    """The first line of a message, and its header lines."""

    first: str
    headers: list[tuple[str, str]]

    def get(self, name: str) -> str:
        return next((value for each, value in self.headers if each.lower() == name), "")

    def bytes(self) -> bytes:
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def replaced(self, name: str, value: str) -> "Head":
        kept = [each for each in self.headers if each[0].lower() != name.lower()]
        return Head(self.first, [*kept, (name, value)])


def response_of(response: Head, size: int) -> Head:
    """A head with the length that the body has, whatever the client is told."""
    return response.replaced("Content-Length", str(size)) if size else response


async def read_head(reader: StreamReader) -> Head:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    fields = (line.partition(":") for line in lines)
    return Head(first, [(name, value.strip()) for name, _, value in fields])


async def read_body(reader: StreamReader, head: Head) -> AsyncIterator[bytes]:
    """The body as it is on the wire, chunks with their frames."""
    if "chunked" in head.get("transfer-encoding").lower():
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            yield line + await reader.readexactly(size + 2)
            if not size:
                return
    left = int(head.get("content-length") or 0)
    while left:
        piece = await reader.read(min(left, PIECE))
        if not piece:
            raise EOFError
        left -= len(piece)
        yield piece
