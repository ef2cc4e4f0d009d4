"""Any file: its size, the first byte that differs, and of text the line."""

import os
from pathlib import Path
from typing import BinaryIO

from dvc_bucket.jobs.check.findings import Difference

#: Bytes that are read at a time, and how long a line is that is shown whole.
PIECE = 1024 * 1024
MAX_LINE_LENGTH = 100


def compare(recorded: Path, found: Path) -> Difference:
    """Where two files begin to differ."""
    before, after = recorded.stat().st_size, found.stat().st_size
    sizes = f"{before:,} bytes" if before == after else f"{after:,} bytes, were {before:,}"
    with recorded.open("rb") as old_file, found.open("rb") as new_file:
        place, line = _first(old_file, new_file)
    if place == before == after:
        return Difference("the same bytes")
    text = f"{sizes}; byte {place + 1:,} is the first that differs"
    old, new = (_line(file, place) for file in (recorded, found))
    if old is None or new is None:
        return Difference(text)
    return Difference(f"{text}, in line {line:,}: {old} became {new}", pairs=((old, new),))


def _first(old_file: BinaryIO, new_file: BinaryIO) -> tuple[int, int]:
    """The place of the first differing byte, from 0, and its line, from 1."""
    place, line = 0, 1
    while (old := old_file.read(PIECE)) == (new := new_file.read(PIECE)) and old:
        place += len(old)
        line += old.count(b"\n")
    same = len(os.path.commonprefix([old, new]))  # noqa: RUF071 (of bytes: on purpose)
    return place + same, line + old[:same].count(b"\n")


def _line(file: Path, place: int) -> str | None:
    """What can be shown of the line around a byte; None if the file is no text there."""
    with file.open("rb") as stream:
        start = max(0, place - MAX_LINE_LENGTH)
        stream.seek(start)
        around = stream.read(2 * MAX_LINE_LENGTH)
    before, after = around[: place - start], around[place - start :]
    raw = before.rpartition(b"\n")[2] + after.partition(b"\n")[0]
    try:
        text = raw.decode().strip("\r")
    except UnicodeDecodeError:
        return None
    if b"\0" in around:
        return None
    return repr(text if len(text) <= MAX_LINE_LENGTH else f"{text[:MAX_LINE_LENGTH]}...")
