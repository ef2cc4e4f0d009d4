"""A CSV file in pieces that are CSV files themselves: whole lines, each time below the header."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa


def cut(pieces: Iterable[Any]) -> Iterator[pa.Buffer]:
    """Cut a file at ends of lines, as Arrow's own reader does.

    Args:
        pieces: of the file, in order.
    """
    header = rest = b""
    is_first = True
    for piece in pieces:
        text = rest + bytes(piece)
        if not header:
            text = text.lstrip(b"\r\n")
            header, text = _split(text, text.find(b"\n"))
        lines, rest = _split(text, text.rfind(b"\n"))
        if lines:
            yield buffer(header, lines)
            is_first = False
    if rest or is_first:
        yield buffer(header, rest)


def _split(text: bytes, at: int) -> tuple[bytes, bytes]:
    """A text up to and with the character at a place, and the rest."""
    return text[: at + 1], text[at + 1 :]


def buffer(*parts: Any) -> pa.Buffer:
    """A copy of bytes that Arrow owns.

    Arrow's threads release buffers late. For one that Python owns they need the interpreter, and if
    that has ended by then, the process dies with "terminate called".
    """
    sink = pa.BufferOutputStream()
    for part in parts:
        sink.write(part)
    return sink.getvalue()
