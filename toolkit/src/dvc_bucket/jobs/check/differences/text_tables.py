"""CSV and TSV: cell by cell, as text; cells that are numbers are compared as such.

Types that are read off a whole column would make other numbers of the same text: an integer that is
beyond 64 bits, or beside a fraction.
"""

import csv
import math
import re
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import TextIO

from dvc_bucket.jobs.check.differences.rows import MAX_PAIRS, RowDifferences, other_columns
from dvc_bucket.jobs.check.differences.tolerance import EXACT, Limits
from dvc_bucket.jobs.check.findings import Difference

#: Delimiters, by end of a file's name.
DELIMITERS = {".csv": ",", ".tsv": "\t"}
ENDS = (*DELIMITERS,)

#: Encodings that are tried, and the bytes at the beginning that tell them; Latin-1 takes any byte.
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
ENCODINGS = ("utf-8", "latin-1")

#: A number, but for identifiers such as 007.
INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,299})")
FRACTION = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")

Row = list[str]


def compare(recorded: Path, found: Path, limits: Limits) -> Difference | None:
    """How the tables differ; None if one cannot be read as such."""
    delimiter = DELIMITERS[recorded.suffix]
    try:
        encodings = [_encoding(file) for file in (recorded, found)]
        with ExitStack() as stack:
            streams = [
                stack.enter_context(file.open(encoding=encoding, newline=""))
                for file, encoding in zip((recorded, found), encodings, strict=True)
            ]
            before, after = (_rows(stream, delimiter) for stream in streams)
            if text := other_columns(header := next(before, []), next(after, [])):
                return Difference(text)
            comparison = _Rows(header, limits)
            comparison.compare(before, after)
    except (OSError, ValueError, csv.Error):
        return None
    if difference := comparison.found.difference(comparison.before, comparison.after):
        return difference
    how = "digits, quotes or line ends"
    if encodings[0] != encodings[1]:
        how = f"{encodings[1]}, was {encodings[0]}"
    text = f"the same {comparison.before:,} rows, different formatting: {how}"
    return Difference(text, tolerated=limits != EXACT)


class _Rows:
    """Goes through the rows of two tables at once.

    Attributes:
        before, after: numbers of rows.
        found: how they differ.
    """

    def __init__(self, header: Row, limits: Limits) -> None:
        self.header, self.before, self.after = header, 0, 0
        self.limits = [limits.of(name) for name in header]
        self.found = RowDifferences()

    def compare(self, before: Iterator[Row], after: Iterator[Row]) -> None:
        """Compare rows of the same number, and count them all."""
        for old, new in zip_longest(before, after):
            if old is not None and new is not None and old != new:
                self.found.wrong += self._differs(self.before, old, new)
            self.before += old is not None
            self.after += new is not None

    def _differs(self, number: int, old: Row, new: Row) -> bool:
        """Whether a cell of a row differs by more than its limit."""
        is_wrong = False
        for at, (before, after) in enumerate(zip_longest(old, new)):
            if before != after and not self._passes(at, before, after):
                is_wrong = True
                if len(self.found.pairs) < MAX_PAIRS:
                    name = self.header[at] if at < len(self.header) else f"{at + 1}, without name"
                    self.found.add(name, number, before, after)
        return is_wrong

    def _passes(self, at: int, before: str | None, after: str | None) -> bool:
        """Whether two texts are one number, or as near as is declared."""
        old, new = (number(text or "") for text in (before, after))
        if old is None or new is None:
            return False
        if old == new:
            return math.copysign(1, old) == math.copysign(1, new)
        if at >= len(self.limits) or not self.limits[at].allows(old, new):
            return False
        self.found.largest = max(self.found.largest, float(abs(new - old)))
        return True


def number(text: str) -> float | int | None:
    """The finite number that a cell is, in plain decimal digits; None if it is none."""
    if INTEGER.fullmatch(text):
        return int(text)
    value = float(text) if FRACTION.fullmatch(text) and not _is_name(text) else math.inf
    return value if math.isfinite(value) else None


def _is_name(text: str) -> bool:
    """Whether it is only digits, with a zero before them: an identifier."""
    return text.lstrip("+-").isdigit()


def _encoding(file: Path) -> str:
    """The encoding of a file: by its mark, else the first in which it can be read."""
    with file.open("rb") as stream:
        start = stream.read(3)
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            return encoding
    for encoding in ENCODINGS[:-1]:
        try:
            with file.open(encoding=encoding, newline="") as text:
                while text.read(1024 * 1024):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    return ENCODINGS[-1]


def _rows(stream: TextIO, delimiter: str) -> Iterator[Row]:
    """The rows of a table; an empty line is none."""
    return (row for row in csv.reader(stream, delimiter=delimiter) if row)
