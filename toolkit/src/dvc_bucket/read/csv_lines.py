"""A CSV file in pieces that are CSV files themselves: whole lines, each time below the header."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa


def cut(pieces: Iterable[Any]) -> Iterator[pa.Buffer]:
    """Cut a file at ends of lines, as Arrow's own reader does; not inside of a quoted value.

    Args:
        pieces: of the file, in order.
    """
    header = rest = b""
    is_first = True
    for piece in pieces:
        text = rest + bytes(piece)
        if not header:
            text = text.lstrip(b"\r\n")
            header, text = _split(text, _first_end(text))
        lines, rest = _split(text, _last_end(text))
        if lines:
            yield buffer(header, lines)
            is_first = False
    if rest or is_first:
        yield buffer(header, rest)


def _split(text: bytes, at: int) -> tuple[bytes, bytes]:
    """A text up to and with the character at a place, and the rest."""
    return text[: at + 1], text[at + 1 :]


def _first_end(text: bytes) -> int:
    """Where the first line ends; -1 if it does not. A quote in a value is two (RFC 4180)."""
    at, quotes = text.find(b"\n"), 0
    begin = 0
    while at >= 0:
        quotes += text.count(b'"', begin, at)
        if quotes % 2 == 0:
            return at
        begin, at = at, text.find(b"\n", at + 1)
    return at


def _last_end(text: bytes) -> int:
    """Where the last whole line ends, of lines from their beginning; -1 if none does."""
    at = text.rfind(b"\n")
    quotes = text.count(b'"', 0, max(0, at))
    while at >= 0 and quotes % 2:
        before = text.rfind(b"\n", 0, at)
        quotes -= text.count(b'"', max(0, before), at)
        at = before
    return at


def buffer(*parts: Any) -> pa.Buffer:
    """A copy of bytes that Arrow owns.

    Arrow's threads release buffers late. For one that Python owns they need the interpreter, and if
    that has ended by then, the process dies with "terminate called".
    """
    sink = pa.BufferOutputStream()
    for part in parts:
        sink.write(part)
    return sink.getvalue()
