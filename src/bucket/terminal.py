"""What a person at a terminal sees while a command works; a pipe gets nothing of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """A line that says what is being done; nothing where standard error is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as shown:
        yield lambda what: shown.update(f"{what} ...")
