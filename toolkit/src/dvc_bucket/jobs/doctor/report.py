"""The doctor's findings: a table for people, JSON for programs."""

import dataclasses
import json
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from dvc_bucket.base.console import Console
from dvc_bucket.jobs.doctor.check import Result

MARKS = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "failed": ("FAILED", "bold red"),
    "skipped": ("skipped", "dim"),
}


def failed(results: Sequence[Result]) -> bool:
    """Whether any check failed."""
    return any(result.status == "failed" for result in results)


def as_json(results: Sequence[Result]) -> str:
    """The findings for a program."""
    checks = [
        dataclasses.asdict(result) | {"seconds": round(result.seconds, 3)} for result in results
    ]
    return json.dumps({"ok": not failed(results), "checks": checks}, indent=2)


def show(results: Sequence[Result], console: Console | None = None) -> None:
    """Print the table, then what to do about what was found.

    In a pipe each row is one line, however long, for grep; and nothing is padded.
    """
    console = console or Console()
    if console.is_terminal:
        console.print(_table(results))
    else:
        _print_rows(results, console)
    for result in results:
        if result.status not in {"failed", "warning"}:
            continue
        mark, style = MARKS[result.status]
        lines = [Text.assemble((f"{mark}: {result.name}. ", style), _sentence(result.found))]
        lines += [Text(result.why, style="dim"), Text(f"Fix: {_sentence(result.fix)}")]
        for line in (Text(), *lines):
            console.print(line, soft_wrap=True)
    console.print()
    console.print(Text(_summary(results)), soft_wrap=True)


def _table(results: Sequence[Result]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for result in results:
        mark, style = MARKS[result.status]
        found = Text(result.found, style="dim" if result.status == "skipped" else "")
        table.add_row(Text(mark, style=style), Text(result.name), found)
    return table


def _print_rows(results: Sequence[Result], console: Console) -> None:
    width = max((len(result.name) for result in results), default=0)
    for result in results:
        row = f"{MARKS[result.status][0]:<8} {result.name:<{width}}  {result.found}"
        console.print(Text(row.rstrip()), soft_wrap=True)


def _summary(results: Sequence[Result]) -> str:
    counts = {
        status: sum(result.status == status for result in results)
        for status in ("failed", "warning", "skipped")
    }
    said = [f"{count} {status}" for status, count in counts.items() if count]
    seconds = sum(result.seconds for result in results)
    return f"{len(results)} checks in {seconds:.1f} s: {', '.join(said) or 'all is well'}."


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:] if text[:1].islower() and " " in text[:20] else text
    return text if text.endswith((".", "!", "`")) else f"{text}."
