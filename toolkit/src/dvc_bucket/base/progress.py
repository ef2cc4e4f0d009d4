"""How far a long piece of work is: who hears it, and what a person at a terminal sees of it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dvc_bucket.base.console import Console

#: Hears bytes so far and in all.
Progress = Callable[[int, int], None]


def silent(done: int, size: int) -> None:
    """Hear it and say nothing."""


@contextmanager
def bar() -> Iterator[Progress]:
    """A progress bar of bytes on a terminal, nothing in a pipe."""
    console = _terminal()
    if console is None:
        yield silent
        return
    from rich import progress

    columns = (
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda done, size: shown.update(task, completed=done, total=size)


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """A line on a terminal that says what is being done; nothing in a pipe."""
    console = _terminal()
    if console is None:
        yield lambda _: None
        return
    with console.status("") as shown:
        yield lambda what: shown.update(f"{what} ...")


def _terminal() -> "Console | None":
    """The terminal of the error output; None in a pipe and where Rich sees none."""
    if not sys.stderr.isatty():  # without Rich, which takes 0.1 s to import
        return None
    from dvc_bucket.base.console import Console

    console = Console(stderr=True)
    # On another one Rich would print an empty line at the end.
    return console if console.is_terminal else None
