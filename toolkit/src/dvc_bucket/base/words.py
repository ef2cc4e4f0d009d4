"""Numbers of things in a sentence, and lists that fit on a screen."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def counted(number: int, noun: str) -> str:
    """A number with its noun, which takes an s for the plural: `1 file`, `2,300 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shortened(lines: Sequence[T], limit: int, end: str = "") -> list[T | str]:
    """The first lines of a list, and one that counts the rest: `  and 30 more` with this end."""
    rest = len(lines) - limit
    return [*lines[:limit], *([f"  and {rest:,} more{end}"] if rest > 0 else [])]


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def one_line(said: object) -> str:
    """What an error or a program says, without line ends and runs of spaces."""
    return " ".join(str(said).split())
