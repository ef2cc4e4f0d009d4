"""The tables of `bucket du` for people, and JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from dvc_bucket.base.console import Console
from dvc_bucket.base.files import readable_size
from dvc_bucket.base.words import counted, shortened
from dvc_bucket.dvc.audit.usage import Usage, UsageRow

#: Bytes of a GB, in which stores count.
GB = 10**9

#: Revisions that have a row of their own on a terminal.
MAX_LISTED_REVISIONS = 20

#: What frees it: it keeps what `du` counts as kept.
GC = "`bucket gc --cloud --all-branches --all-tags --all-experiments`"


def as_json(usage: Usage, price: float | None) -> str:
    """The whole report for a program; sizes in bytes, costs a month in the unit of the price."""
    values = asdict(usage)
    if price is not None:
        values["cost"] = {"size": cost(usage.size, price)}
        if usage.freeable:
            size = usage.freeable.old_size + usage.freeable.unneeded_size
            values["cost"]["freeable"] = cost(size, price)
    return json.dumps(values, indent=2)


def cost(size: int, price: float) -> float:
    """What so many bytes cost a month, at a price a GB and month."""
    return round(size / GB * price, 6)


def show(usage: Usage, price: float | None) -> None:
    """Print the tables and the totals."""
    console = Console.wide()
    for heading, rows in (("dataset", usage.datasets), ("revision", usage.revisions)):
        if rows:
            console.print(_table(heading, rows))
            console.print()
    for line in lines(usage, price):
        console.print(Text(line))


def lines(usage: Usage, price: float | None) -> list[str]:
    """The sentences below the tables."""
    said = [*usage.notes]
    if usage.missing:
        said.append(
            f"{counted(usage.missing, 'object')} missing in the bucket; `bucket verify` lists them."
        )
    if free := usage.freeable:
        said += [
            f"Only old commits need {counted(free.old_objects, 'object')} "
            f"({readable_size(free.old_size)}); no commit of this clone needs "
            f"{free.unneeded_objects:,} more ({readable_size(free.unneeded_size)}), which are "
            "left over or belong to another project at the same prefix.",
            f"{GC} would free all of them: {free.old_objects + free.unneeded_objects:,}, "
            f"{_size(free.old_size + free.unneeded_size, price)}. To check first, add --dry.",
        ]
    total = f"{counted(usage.objects, 'object')}, {_size(usage.size, price)}"
    return [*said, f"Together: {total}, in {usage.address}."]


def _size(size: int, price: float | None) -> str:
    costs = "" if price is None else f" ({cost(size, price):,.2f} a month)"
    return f"{readable_size(size)}{costs}"


def _table(heading: str, rows: Sequence[UsageRow]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column(heading)
    for name in ("objects", "size", "unique", "size"):
        table.add_column(name, justify="right")
    for row in shortened(rows, MAX_LISTED_REVISIONS, "; --json lists all"):
        if isinstance(row, str):
            table.add_row(row)
            continue
        own = (f"{row.own_objects:,}", readable_size(row.own_size))
        table.add_row(Text(row.name), f"{row.objects:,}", readable_size(row.size), *own)
    return table
