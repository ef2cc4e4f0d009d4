"""The report: a table by dataset and the findings for people, JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import groupby
from typing import Any

from rich.text import Text

from dvc_bucket.base.console import Console
from dvc_bucket.base.files import readable_size
from dvc_bucket.base.words import counted, shortened
from dvc_bucket.dvc.audit.findings import (
    NOT_CHECKED,
    AuditFinding,
    AuditReport,
    DatasetCount,
    NamedCommit,
)
from dvc_bucket.dvc.remote import ids

#: Findings of a dataset, and commits of a finding, that are named one by one.
MAX_LISTED_FINDINGS = 20
MAX_LISTED_COMMITS = 2


def as_json(report: AuditReport) -> str:
    """The whole report as JSON."""
    values = asdict(replace(report, findings=[], mended=[], left_out={}))
    foreign = ("foreign", "foreign_size", "foreign_keys")
    objects, size, keys = (values.pop(name) for name in foreign)
    left_out = [
        {
            "dataset": item.dataset,
            "why": item.why,
            "revisions": [asdict(commit) for commit in commits],
        }
        for item, commits in report.left_out.items()
    ]
    values |= {
        "ok": report.ok,
        "remote": values.pop("address"),
        "findings": [_as_dict(item) for item in report.findings],
        "mended": [_as_dict(item) for item in report.mended],
        "left_out": left_out,
        "not_needed": {"objects": objects, "size": size, "foreign": keys},
    }
    return json.dumps(values, indent=2)


def _as_dict(finding: AuditFinding) -> dict[str, Any]:
    values = asdict(finding) | {"fault": finding.fault.kind, "detail": finding.fault.detail}
    name = values.pop("name")
    return values | {"object": ids.path(name) if name else None}


def show(report: AuditReport) -> None:
    """Print the table, what is wrong, what was mended, and the notes."""
    console = Console.wide()
    if report.datasets:
        headings = ("dataset", "objects", "size", "missing", "damaged", "not checked")
        console.count(headings, map(_row, report.datasets))
    for dataset, findings in groupby(report.findings, key=lambda finding: finding.dataset):
        console.print()
        console.print(Text(f"{dataset or 'commits'}:", style="bold"))
        _print(console, [_line(finding) for finding in findings])
    if report.mended:
        console.print()
        number = len({finding.name for finding in report.mended})
        console.print(Text(f"Mended: {counted(number, 'object')}."))
        _print(
            console,
            [Text(f"  {finding.path}: was {finding.fault.kind}") for finding in report.mended],
        )
    if notes := _notes(report):
        console.print()
        for note in notes:
            console.print(Text(note, style="dim"))
    console.print()
    console.print(Text(_summary(report), style="bold"))


def _row(dataset: DatasetCount) -> list[Text]:
    cells = [
        dataset.name,
        f"{dataset.objects:,}",
        readable_size(dataset.size),
        f"{dataset.missing:,}",
        f"{dataset.damaged:,}",
        f"{dataset.not_checked:,}",
    ]
    style = "bold red" if dataset.missing or dataset.damaged else ""
    return [Text(cell, style) for cell in cells]


def _line(finding: AuditFinding) -> Text:
    detail = "; ".join(filter(None, (finding.fault.detail, finding.repair)))
    return Text.assemble(
        "  ",
        (finding.fault.kind, "red"),
        f"  {finding.path or 'everything'}{f' ({detail})' if detail else ''}",
        (f"  needed by {_commits(finding.revisions)}", "dim"),
    )


def _print(console: Console, lines: Sequence[Text]) -> None:
    for line in shortened(lines, MAX_LISTED_FINDINGS, "; --json lists all."):
        console.print(line, highlight=False)


def _notes(report: AuditReport) -> list[str]:
    notes = [*report.notes, *map(str, report.imported)]
    notes += [f"Left out: {item.dataset}, {item.why}." for item in report.left_out]
    if report.foreign_keys is not None and report.foreign:
        foreign = f"{counted(report.foreign, 'object')} ({readable_size(report.foreign_size)})"
        notes.append(
            f"No commit of this clone needs {foreign} on the remote, which belong to another "
            "project or are left over. They are not touched; --json lists them."
        )
    return notes


def _summary(report: AuditReport) -> str:
    commits = _commits(report.revisions) if report.revisions else "no commit"
    where = f"{report.address} at {report.endpoint}"
    if not report.findings and report.missing_elsewhere:
        return (
            f"NOT complete: {counted(report.missing_elsewhere, 'object')} of imported data missing "
            f"on the remote of their projects; nothing missing in {where}. Ask their publishers."
        )
    if not report.ok:
        counts = (
            f"{report.missing:,} missing, {report.damaged:,} damaged, "
            f"{report.not_checked:,} not checked of {report.objects:,}"
        )
        if report.exit_status == NOT_CHECKED:
            return f"NOT fully checked: {counts}, in {where}. Run the command again."
        others = sum(finding.name is None for finding in report.findings)
        more = f"; {others:,} more as listed" if others else ""
        return f"NOT complete: {counts}{more}, in {where}."
    if not report.objects:
        return f"Nothing is needed from {where} by {commits}."
    proof = "with correct contents" if report.deep else "with correct sizes"
    whole = f"{counted(report.objects, 'object')} ({readable_size(report.size)})"
    return f"Complete: {whole} of {commits} are there, {proof}, in {where}."


def _commits(commits: Sequence[NamedCommit]) -> str:
    shown = ", ".join(map(str, commits[:MAX_LISTED_COMMITS]))
    more = len(commits) - MAX_LISTED_COMMITS
    return f"{shown} and {more:,} more commits" if more > 0 else shown
