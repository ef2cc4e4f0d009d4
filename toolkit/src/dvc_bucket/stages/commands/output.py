"""What the commands of stages print, so that a person can tell whose it is.

On a terminal each line has the name of its stage before it. In a pipe, as in CI, the output of a
command comes as one piece when the command ends.
"""

import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from rich.text import Text

from dvc_bucket.base.console import Console

#: Output beyond it waits on disk.
IN_MEMORY = 1_000_000

#: The longest name that others are padded to.
LONGEST_NAME = 24

#: Takes what a command has printed.
Sink = Callable[[bytes], object]

_printing = threading.Lock()


@contextmanager
def in_one_piece(title: str) -> Iterator[Sink]:
    """Print what a command prints in one piece, at the end of the block, below a title."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as held:
        try:
            yield held.write
        finally:
            if size := held.tell():
                held.seek(size - 1)
                is_ended = held.read() == b"\n"
                held.seek(0)
                _print(title, held, b"" if is_ended else b"\n")


@contextmanager
def by_line(stage: str, console: Console) -> Iterator[Sink]:
    """Print each line as it comes, with the name of its stage."""
    rest = b""

    def take(data: bytes) -> None:
        nonlocal rest
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            _say(stage, line, console)

    try:
        yield take
    finally:
        if rest:
            _say(stage, rest, console)


def _say(stage: str, line: bytes, console: Console) -> None:
    """Print a line; of a progress bar, its last state."""
    shown = line.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="replace")
    name = (f"{stage:<{LONGEST_NAME}} | ", "dim")
    console.print(Text.assemble(name, Text.from_ansi(shown)), soft_wrap=True)


def _print(title: str, held: Any, end: bytes) -> None:
    """Print all that a command has printed, and nothing else meanwhile."""
    with _printing:
        sys.stdout.write(f"Output of {title}:\n")
        sys.stdout.flush()
        raw: IO[bytes] | None = getattr(sys.stdout, "buffer", None)
        if raw is None:
            sys.stdout.write((held.read() + end).decode(errors="replace"))
        else:
            shutil.copyfileobj(held, raw)
            raw.write(end)
        sys.stdout.flush()
