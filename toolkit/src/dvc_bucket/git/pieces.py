"""Contents in pieces, so that a large file needs little memory."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

#: How many bytes are in memory at a time, and how many of them are looked at twice, so that
#: nothing is missed where two pieces meet.
PIECE = 1024 * 1024
OVERLAP = 64 * 1024


@dataclass(frozen=True)
class Piece:
    """A part of a file: its bytes and the number of its first line."""

    data: bytes
    line: int = 1


def pieces(read: Callable[[int], bytes], size: int, after: int = 0) -> Iterator[Piece]:
    """`size` bytes in pieces, and `after` more that are read and dropped."""
    tail, line = b"", 1
    while size > 0 and (new := read(min(PIECE, size))):
        size -= len(new)
        data = tail + new
        yield Piece(data, line)
        tail = data[-OVERLAP:]
        line += data.count(b"\n", 0, len(data) - len(tail))
    read(after)


def joined(parts: Iterable[Piece]) -> bytes:
    """The whole of what comes in pieces."""
    whole, seen = bytearray(), 0
    for piece in parts:
        whole += piece.data[seen:]
        seen = min(len(piece.data), OVERLAP)
    return bytes(whole)
