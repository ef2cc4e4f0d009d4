"""Any file: its size, the first byte that differs, and of text the line."""

from pathlib import Path
from typing import BinaryIO

from dvc_bucket.jobs.check.findings import Difference

#: Bytes that are read at a time, and how long a line is that is shown whole.
PIECE = 1024 * 1024
MAX_LINE_LENGTH = 100


def compare(recorded: Path, found: Path) -> Difference:
    """Where two files begin to differ."""
    sizes = recorded.stat().st_size, found.stat().st_size
    said = (
        f"{sizes[0]:,} bytes" if sizes[0] == sizes[1] else f"{sizes[1]:,} bytes, were {sizes[0]:,}"
    )
    with recorded.open("rb") as one, found.open("rb") as other:
        place, line = _first(one, other)
    text = f"{said}; byte {place + 1:,} is the first that differs"
    before, after = (_line(file, place) for file in (recorded, found))
    if before is None or after is None:
        return Difference(text)
    return Difference(
        f"{text}, in line {line:,}: {before} became {after}", pairs=((before, after),)
    )


def _first(one: BinaryIO, other: BinaryIO) -> tuple[int, int]:
    """The place of the first differing byte, from 0, and its line, from 1."""
    place, line = 0, 1
    while True:
        before, after = one.read(PIECE), other.read(PIECE)
        if before != after or not before:
            pairs = zip(before, after, strict=False)
            shorter = min(len(before), len(after))
            within = next((at for at, pair in enumerate(pairs) if pair[0] != pair[1]), shorter)
            return place + within, line + before[:within].count(b"\n")
        place += len(before)
        line += before.count(b"\n")


def _line(file: Path, place: int) -> str | None:
    """What can be shown of the line around a byte; None if the file is no text there."""
    with file.open("rb") as stream:
        start = max(0, place - MAX_LINE_LENGTH)
        stream.seek(start)
        around = stream.read(2 * MAX_LINE_LENGTH)
    before, after = around[: place - start], around[place - start :]
    raw = before.rpartition(b"\n")[2] + after.partition(b"\n")[0]
    if b"\0" in around:
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    text = text.strip("\r")
    return repr(text if len(text) <= MAX_LINE_LENGTH else f"{text[:MAX_LINE_LENGTH]}...")
