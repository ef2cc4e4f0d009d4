"""How far a long piece of work is: who hears it, and what a person at a terminal sees of it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Hears bytes so far and in all.
Progress = Callable[[int, int], None]


def silent(done: int, size: int) -> None:
    """Hear it and say nothing."""


@contextmanager
def bar() -> Iterator[Progress]:
    """A progress bar of bytes on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():  # without Rich, which takes 0.1 s to import
        yield silent
        return
    from rich import progress

    from dvc_bucket.base.console import Console

    columns = (
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    if not console.is_terminal:  # Rich would print an empty line at the end
        yield silent
        return
    with progress.Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda done, size: shown.update(task, completed=done, total=size)


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """A line on a terminal that says what is being done; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from dvc_bucket.base.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as shown:
        yield lambda what: shown.update(f"{what} ...")
