"""What is said of two tables whose rows differ, whatever their format."""

import os
from dataclasses import dataclass, field

from dvc_bucket.base.terminal import visible
from dvc_bucket.jobs.check.findings import Difference

#: How many differing values are kept for a closer look.
MAX_PAIRS = 20

#: How long a value is that is shown whole, and what is shown of a longer one before a difference.
MAX_VALUE_LENGTH = 60
BEFORE_DIFFERENCE = 20


@dataclass
class RowDifferences:
    """What a comparison has found so far.

    Attributes:
        first: where the first difference is, and both values.
        pairs: values that differ, before and after: some of them.
        wrong: how many rows differ.
        largest: the largest difference of two numbers that tolerance let pass.
    """

    first: str = ""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    wrong: int = 0
    largest: float = 0.0

    def add(self, column: str, row: int, old: object, new: object) -> None:
        """Keep a value that differs.

        Args:
            column: its name.
            row: from 0.
            old: as recorded; None for nothing.
            new: as found.
        """
        pair = shown(old, new)
        self.pairs.append(pair)
        if not self.first:
            name = visible(column, keep="")
            self.first = f"column {name}, row {row + 1:,}: {' became '.join(pair)}"

    def difference(self, before: int, after: int) -> Difference | None:
        """The whole of it; None if no value differs.

        Args:
            before: number of recorded rows.
            after: number of rows that were found.
        """
        rows, pairs = min(before, after), tuple(self.pairs[:MAX_PAIRS])
        if before != after:
            where = f"first: {self.first}" if self.first else f"the first {rows:,} are the same"
            return Difference(f"{after:,} rows instead of {before:,}; {where}", pairs=pairs)
        if self.first:
            text = f"{self.first}; {self.wrong:,} of {rows:,} rows differ"
            return Difference(text, pairs=pairs)
        if self.largest:
            return Difference("all within tolerance", self.largest, tolerated=True)
        return None


def other_columns(before: list[str], after: list[str]) -> str:
    """How the names of columns differ; empty if they do not."""
    if before == after:
        return ""
    before, after = ([visible(name, keep="") for name in names] for names in (before, after))
    lost = [f"column {name} is missing" for name in before if name not in after]
    new = [f"column {name} is new" for name in after if name not in before]
    if not lost and not new and len(before) != len(after):
        return f"{len(after)} columns instead of {len(before)}: a name occurs twice"
    return "; ".join([*lost[:1], *new[:1]]) or "the columns are in a different order"


def shown(old: object, new: object) -> tuple[str, str]:
    """Two values as text, of long ones the part in which they begin to differ."""
    texts = [_text(value) for value in (old, new)]
    same = len(os.path.commonprefix(texts))  # noqa: RUF071 (of characters: on purpose)
    start = max(0, same - BEFORE_DIFFERENCE) if same > MAX_VALUE_LENGTH - 10 else 0
    cut = [f"...{text[start:]}" if start else text for text in texts]
    old_text, new_text = (
        text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 3]}..."
        for text in cut
    )
    return old_text, new_text


def _text(value: object) -> str:
    """A value in one line."""
    return "nothing" if value is None else visible(str(value), keep="") or "''"
