"""`dvc.lock` as text: the entry of a stage is put in its place, and all others keep their bytes.

DVC parses the whole file and dumps it again for each stage, which takes time that grows with the
square of the number of stages, and changes numbers of 17 digits in the entries of other stages.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dvc_bucket.dvc.patched.yaml import dumped

#: What DVC writes above the first entry.
HEAD = "schema: '2.0'\nstages:\n"

#: The first line of an entry.
FIRST_LINE = re.compile(r"^  (?=\S)", re.MULTILINE)

#: A comment that is not inside an entry, which DVC would keep with the entry above it; a tab or a
#: carriage return, which YAML may read as a space or the end of a line.
FOREIGN = re.compile(r"^ {0,2}#|[\t\r]", re.MULTILINE)

#: A value that stands for another one: its name is one in the whole file.
ALIAS = re.compile(r"[:\-] [&*]\w")

#: How the name of a stage does not begin as DVC writes it: with YAML's own characters.
MARKS = "?-&*!|>%@`#{["


class OddError(Exception):
    """A file that is not formatted as DVC does it."""


class Lock(NamedTuple):
    """The text of a `dvc.lock` in parts.

    Attributes:
        head: to the line `stages:`, included.
        entries: the text of each entry, by its first line.
        tail: what follows the last one.
    """

    head: str
    entries: Mapping[str, str]
    tail: str

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join([self.head, *self.entries.values(), self.tail])


def split(text: str) -> Lock:
    """The parts of a text; those of a new file, if it is empty.

    Raises:
        OddError: it is not one that DVC wrote.
    """
    if not text:
        return Lock(HEAD, {}, "")
    head, mark, rest = text.partition("\nstages:\n")
    if not mark or not text.startswith("schema: '2.0'\n") or FOREIGN.search(text):
        raise OddError
    end = re.search(r"^\S", rest, re.MULTILINE)
    body, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    entries: dict[str, str] = {}
    for entry in _entries(body):
        name = entry.partition("\n")[0]
        if not name.endswith(":") or name[2] in MARKS or name in entries or ALIAS.search(entry):
            raise OddError
        entries[name] = entry
    return Lock(head + mark, entries, tail)


def rendered(entry: Mapping[str, Any]) -> tuple[str, str]:
    """First line and text of an entry: `{name: content}`, as DVC formats it below `stages:`.

    Raises:
        OddError: the text cannot be told from another one.
    """
    text = dumped({"schema": "2.0", "stages": entry})
    lock = split(text)
    if lock.head != HEAD or lock.tail or len(lock.entries) != 1:
        raise OddError
    return next(iter(lock.entries.items()))


def put(lock: Lock, entries: Iterable[tuple[str, str]]) -> Lock:
    """The parts with these entries, a new one at the end."""
    return lock._replace(entries={**lock.entries, **dict(entries)})


def _entries(body: str) -> Iterable[str]:
    """The text of each entry.

    Raises:
        OddError: there is something before the first.
    """
    starts = [match.start() for match in FIRST_LINE.finditer(body)]
    if body and starts[:1] != [0]:
        raise OddError
    return (body[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True))
