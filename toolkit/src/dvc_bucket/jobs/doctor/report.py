"""The doctor's findings: a table for people, JSON for programs."""

import dataclasses
import json
import platform
from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from dvc_bucket.base import toolkit
from dvc_bucket.base.console import Console
from dvc_bucket.jobs.doctor.check import Result, Status

MARKS = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "failed": ("FAILED", "bold red"),
    "skipped": ("skipped", "dim"),
}

#: What the last line counts, the worst first.
SUMMARIZED: tuple[Status, ...] = ("failed", "warning", "skipped")


def failed(results: Sequence[Result]) -> bool:
    """Whether any check failed."""
    return any(result.status == "failed" for result in results)


def as_json(results: Sequence[Result]) -> str:
    """The findings for a program, and for a report of a fault: with versions, without secrets."""
    checks = [
        dataclasses.asdict(result) | {"seconds": round(result.seconds, 3)} for result in results
    ]
    versions = [*toolkit.versions().splitlines(), platform.platform()]
    document = {"ok": not failed(results), "versions": versions, "checks": checks}
    return json.dumps(document, indent=2)


def show(results: Sequence[Result]) -> None:
    """Print the table, then what to do about what was found.

    In a pipe each row is one line, however long, for grep; and nothing is padded.
    """
    console = Console()
    console.show(("", "", ""), map(_row, results))
    for result in results:
        if result.status in {"failed", "warning"}:
            mark, style = MARKS[result.status]
            console.print()
            heading = Text.assemble((f"{mark}: {result.name}. ", style), _sentence(result.found))
            console.print(heading, soft_wrap=True)
            console.say(result.why, "dim")
            console.say(f"Fix: {_sentence(result.fix)}")
    console.print()
    console.say(_summary(results))


def _row(result: Result) -> tuple[Text, Text, Text]:
    """Mark, name, and what was found."""
    mark, style = MARKS[result.status]
    text = Text(result.found, style="dim" if result.status == "skipped" else "")
    return Text(mark, style=style), Text(result.name), text


def _summary(results: Sequence[Result]) -> str:
    counts = Counter(result.status for result in results)
    named = [f"{counts[status]} {status}" for status in SUMMARIZED if counts[status]]
    seconds = sum(result.seconds for result in results)
    return f"{len(results)} checks in {seconds:.1f} s: {', '.join(named) or 'all is well'}."


def _sentence(text: str) -> str:
    if text.partition(" ")[0].isalpha() and " " in text:  # no name of an option or of a file
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "`")) else f"{text}."
