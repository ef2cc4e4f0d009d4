"""The report: a line an output and what is wrong for people, JSON for programs."""

import dataclasses
import json
from itertools import groupby

from rich.table import Table
from rich.text import Text

from dvc_bucket.base.console import Console
from dvc_bucket.base.words import counted
from dvc_bucket.jobs.check.findings import Finding, Report, Result

#: What is the heading of findings of a kind.
HEADINGS = {
    "failed": "Stages that failed",
    "not run": "Stages that were not run",
    "not recorded": "Not in dvc.lock",
    "other code": "dvc.lock is of other code, data, parameters or commands",
    "contradiction": "Records that contradict each other",
    "edited": "Dependencies that changed while their stage ran",
    "not made": "Outputs that their stage did not make",
    "undeclared import": "Imports missing from deps",
    "undeclared file": "Files that are read or written and not declared",
    "undeclared network": "Network that is not declared",
}

STYLES = {"identical": "green", "within tolerance": "green"}

#: Width of the table where the output is no terminal: lines stay whole for grep.
PIPE_WIDTH = 200


def as_json(report: Report) -> str:
    """Everything that was found, for a program."""
    found = {
        "ok": report.ok,
        "commit": report.commit,
        "rev": report.rev,
        "stages": list(report.stages),
        "seconds": {name: round(taken, 3) for name, taken in report.seconds.items()},
        "environment": report.environment,
        "tracing": report.tracing,
        "runs": report.runs,
        "outputs": [_output(one) for one in report.results],
        "findings": [dataclasses.asdict(one) for one in report.findings],
        "causes": report.causes,
        "notes": report.notes,
        "folder": report.folder or None,
    }
    return json.dumps(found, indent=2)


def show(report: Report, console: Console | None = None) -> None:
    """Print a line an output, then what is wrong and why, and what else there is to know."""
    console = console or Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH, soft_wrap=True)
    for (run, against), group in groupby(report.results, key=lambda one: (one.run, one.against)):
        results = list(group)
        is_first = run == report.runs[0]
        title = f"Against {against}" if is_first else f"{run[:1].upper()}{run[1:]}"
        if not is_first and all(one.verdict == "identical" for one in results):
            same = f"{title}: all {len(results)} outputs identical to those of the {against}."
            console.print(Text(same), soft_wrap=True)
            continue
        title += "" if is_first else f", against the {against}"
        console.print(Text(f"{title}:", style="bold"))
        _print_table(console, results)
    for kind, heading in HEADINGS.items():
        if found := [one for one in report.findings if one.kind == kind]:
            _list(console, heading, found)
    for stage, lines in report.causes.items():
        console.print(Text(f"About {stage}:", style="bold"))
        for line in lines:
            console.print(Text(f"  {line}"), soft_wrap=True)
        console.print()
    if len(report.runs) > 1:
        console.print()
    for note in (f"Traced {report.tracing}.", *report.notes):
        console.print(Text(note, style="dim"), soft_wrap=True)
    if report.folder:
        console.print(Text(f"Kept: {report.folder}"), soft_wrap=True)
    console.print(Text(_summary(report), style="bold"), soft_wrap=True)


def _print_table(console: Console, results: list[Result]) -> None:
    """Print a line an output; in a pipe none is padded."""
    with console.capture() as printed:
        console.print(_table(results))
    for line in printed.get().splitlines():
        console.out(line if console.is_terminal else line.rstrip(), highlight=False)
    console.print()


def _table(results: list[Result]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("output", "stage", ""):
        table.add_column(heading, overflow="fold")
    for one in results:
        text = Text(one.verdict, style=STYLES.get(one.verdict, "bold red"))
        if one.detail:
            text.append(f": {one.detail}", style="" if one.ok else "red")
        if one.follows:
            text.append(f" (as does its input {one.follows})", style="dim")
        table.add_row(Text(one.path), Text(one.stage), text)
    return table


def _list(console: Console, heading: str, findings: list[Finding]) -> None:
    console.print(Text(f"{heading}:", style="bold red"))
    for one in findings:
        console.print(Text(f"  {one.text}"), soft_wrap=True)
    console.print()


def _summary(report: Report) -> str:
    commit = report.commit[:7] + (f" ({report.rev})" if report.rev != report.commit else "")
    outputs = len({one.path for one in report.results})
    stages = counted(len(report.stages), "stage")
    runs = counted(len(report.runs), "run")
    if report.ok:
        tolerated = any(one.verdict == "within tolerance" for one in report.results)
        how = "identical, or within tolerance" if tolerated else "identical"
        return f"Reproduced: all {outputs} outputs of {stages} of {commit} are {how}, in {runs}."
    bad = len({one.path for one in report.results if not one.ok})
    wrong = [f"{bad} of {outputs} outputs differ"]
    if report.findings:
        wrong.append(f"{len(report.findings)} more as listed")
    return f"FAILED: {commit}: {'; '.join(wrong)}, in {runs} of {stages}."


def _output(one: Result) -> dict[str, object]:
    found = dataclasses.asdict(one)
    found["values"] = found.pop("pairs")
    return found
