"""The report: a table by dataset and the findings for people, JSON for programs."""

import dataclasses
import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.table import Table
from rich.text import Text

from dvc_bucket.base.console import Console
from dvc_bucket.base.files import readable_size
from dvc_bucket.base.words import counted
from dvc_bucket.dvc.audit.findings import Finding, Report, Revision, Unchecked
from dvc_bucket.dvc.remote import ids
from dvc_bucket.git import lfs_layout as layout

#: Findings of a dataset, and commits of a finding, that are named one by one.
SHOWN_FINDINGS = 20
SHOWN_COMMITS = 2

#: Width of the table where the output is no terminal: lines stay whole for grep.
PIPE_WIDTH = 200


def as_json(report: Report) -> str:
    """Everything that was found, for a program."""
    found = {
        "ok": report.ok,
        "remote": report.address,
        "endpoint": report.endpoint,
        "deep": report.deep,
        "read": report.read,
        "objects": report.objects,
        "size": report.size,
        "missing": report.missing,
        "damaged": report.damaged,
        "revisions": [_revision(one) for one in report.revisions],
        "datasets": [dataclasses.asdict(one) for one in report.datasets],
        "findings": [_finding(one) for one in report.findings],
        "mended": [_finding(one) for one in report.mended],
        "unchecked": [
            {"dataset": one.dataset, "why": one.why, "revisions": [*map(_revision, revisions)]}
            for one, revisions in report.unchecked.items()
        ],
        "notes": report.notes,
        "not_needed": {
            "objects": report.foreign,
            "size": report.foreign_size,
            "foreign": report.foreign_keys,
        },
    }
    return json.dumps(found, indent=2)


def show(report: Report, console: Console | None = None) -> None:
    """Print the table, what is wrong, what was mended, and what else there is to know."""
    console = console or Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH)
    if report.datasets:
        console.print(_table(report))
    for dataset, findings in groupby(report.findings, key=lambda one: one.dataset):
        console.print()
        _list(console, dataset or "commits", list(findings))
    if report.mended:
        console.print()
        number = len({one.name for one in report.mended})
        console.print(Text(f"Mended: {counted(number, 'object')}."))
        for one in report.mended[:SHOWN_FINDINGS]:
            console.print(Text(f"  {one.path}: was {one.fault.kind}"))
        _say_rest(console, len(report.mended))
    _say_notes(console, report)
    console.print()
    console.print(Text(_summary(report), style="bold"))


def _table(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("dataset")
    for heading in ("objects", "size", "missing", "damaged"):
        table.add_column(heading, justify="right")
    for one in report.datasets:
        row = [f"{one.objects:,}", readable_size(one.size), f"{one.missing:,}", f"{one.damaged:,}"]
        style = "bold red" if one.missing or one.damaged else ""
        table.add_row(Text(one.name), *row, style=style)
    return table


def _list(console: Console, heading: str, findings: Sequence[Finding]) -> None:
    """A dataset's findings."""
    console.print(Text(f"{heading}:", style="bold"))
    for one in findings[:SHOWN_FINDINGS]:
        detail = "; ".join(filter(None, (one.fault.detail, one.repair)))
        line = Text.assemble("  ", (one.fault.kind, "red"), f"  {one.path or 'everything'}")
        line.append(f" ({detail})" if detail else "")
        line.append(f"  needed by {_commits(one.revisions)}", style="dim")
        console.print(line)
    _say_rest(console, len(findings))


def _say_rest(console: Console, count: int) -> None:
    if count > SHOWN_FINDINGS:
        console.print(Text(f"  and {count - SHOWN_FINDINGS:,} more; --json names all."))


def _say_notes(console: Console, report: Report) -> None:
    notes = [*report.notes, *map(_unchecked, report.unchecked)]
    if report.foreign_keys is not None and report.foreign:
        foreign = f"{counted(report.foreign, 'object')} ({readable_size(report.foreign_size)})"
        notes.append(
            f"{foreign} on the remote are needed by no commit of this clone: another project's, "
            "or left over. They stay as they are; --json names them."
        )
    if notes:
        console.print()
    for note in notes:
        console.print(Text(note, style="dim"))


def _unchecked(one: Unchecked) -> str:
    return f"Not checked: {one.dataset}, {one.why}."


def _summary(report: Report) -> str:
    what = _commits(report.revisions) if report.revisions else "no commit"
    where = f"{report.address} at {report.endpoint}"
    if report.ok:
        how = "there, their contents right" if report.deep else "there, their sizes right"
        if not report.objects:
            return f"Nothing is needed from {where} by {what}."
        whole = f"{counted(report.objects, 'object')} ({readable_size(report.size)})"
        return f"Complete: {whole} of {what} are {how}, in {where}."
    parts = [f"{report.missing:,} missing, {report.damaged:,} damaged of {report.objects:,}"]
    others = sum(one.name is None for one in report.findings)
    if others:
        parts.append(f"{others:,} more as listed")
    return f"NOT complete: {'; '.join(parts)}, in {where}."


def _commits(revisions: Sequence[Revision]) -> str:
    shown = ", ".join(map(str, revisions[:SHOWN_COMMITS]))
    more = len(revisions) - SHOWN_COMMITS
    return f"{shown} and {more:,} more commits" if more > 0 else shown


def _revision(one: Revision) -> dict[str, Any]:
    return {"commit": one.commit, "names": list(one.names)}


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "fault": one.fault.kind,
        "detail": one.fault.detail,
        "dataset": one.dataset,
        "path": one.path,
        "object": _object(one.name),
        "revisions": [_revision(revision) for revision in one.revisions],
        "repair": one.repair,
    }


def _object(name: bytes | None) -> str | None:
    """Where an object is below the remote's prefix."""
    if name is None:
        return None
    return ids.path(name) if len(name) == ids.SIZE else layout.path(name.hex())
