"""A table on a terminal: which stages run, for how long, and how many wait, are done or failed."""

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

from rich.live import Live
from rich.table import Table
from rich.text import Text

from dvc_bucket.base.console import Console

#: States of a stage, in the order in which they are counted.
STATES = ("running", "waiting", "done", "unchanged", "failed", "skipped")

#: How often the seconds are counted.
TIMES_PER_SECOND = 2


class Board:
    """The states of stages.

    Args:
        waiting: how many have not begun.
    """

    def __init__(self, waiting: int) -> None:
        self._counts = Counter(waiting=waiting)
        self._running: dict[str, float] = {}

    def tell(self, stage: str, state: str) -> None:
        """A stage has a new state."""
        before = "running" if stage in self._running else "waiting"
        self._counts[before] -= 1
        self._counts[state] += 1
        self._running.pop(stage, None)
        if state == "running":
            self._running[stage] = time.monotonic()

    def __rich__(self) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        counts = (f"{self._counts[state]} {state}" for state in STATES if self._counts[state])
        table.add_row(Text(", ".join(counts), style="bold"))
        for stage, since in list(self._running.items()):
            table.add_row(Text(stage), Text(f"{time.monotonic() - since:.0f} s", style="dim"))
        return table


@contextmanager
def shown(waiting: int, console: Console) -> Iterator[Callable[[str, str], None]]:
    """Show a board below all that this process prints in the block."""
    board = Board(waiting)
    above: Any = _Above(console)
    with (
        Live(
            board,
            console=console,
            transient=True,
            refresh_per_second=TIMES_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        ),
        redirect_stdout(above),
        redirect_stderr(above),
        _messages_to(above),
    ):
        yield board.tell


class _Above:
    """A stream to lines above the board. DVC shows no progress bars there: it is no terminal.

    Attributes:
        rich_proxied_file: where Rich writes instead, by Rich's own name for that.
    """

    encoding = "utf-8"

    def __init__(self, console: Console) -> None:
        self.rich_proxied_file = console.file
        self._console, self._rest = console, ""
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Print the lines that are whole."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._console.print(Text.from_ansi(line), soft_wrap=True)
        return len(text)

    def flush(self) -> None:
        """A part of a line waits for its end."""

    def isatty(self) -> bool:
        """Nothing is drawn here."""
        return False


@contextmanager
def _messages_to(stream: TextIO) -> Iterator[None]:
    """Have DVC's messages go to a stream; its handlers have those that it began with."""
    handlers = [
        handler
        for handler in logging.getLogger("dvc").handlers
        if isinstance(handler, logging.StreamHandler)
    ]
    before = [(handler, handler.setStream(stream)) for handler in handlers]
    try:
        yield
    finally:
        for handler, own in before:
            handler.setStream(own or sys.stderr)
