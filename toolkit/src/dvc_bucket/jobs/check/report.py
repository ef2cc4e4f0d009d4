"""The report: a line an output and what is wrong for people, JSON for programs."""

import dataclasses
import json
from collections.abc import Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from dvc_bucket.base.console import Console
from dvc_bucket.base.words import counted
from dvc_bucket.jobs.check.findings import KINDS, CheckReport, OutputResult

#: Width of the table where the output is no terminal: lines stay whole for grep.
PIPE_WIDTH = 200


def as_json(report: CheckReport) -> str:
    """Everything that was found, for a program."""
    return json.dumps({"ok": report.ok} | dataclasses.asdict(report), indent=2)


def show(report: CheckReport) -> None:
    """Print a line an output, then what is wrong and why, and what else there is to know."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH, soft_wrap=True)

    def say(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=True)

    def say_list(heading: str, lines: Sequence[str], style: str = "bold") -> None:
        say(f"{heading}:", style)
        for line in lines:
            say(f"  {line}")
        console.print()

    for (run, against), group in groupby(report.outputs, key=lambda one: (one.run, one.against)):
        outputs = list(group)
        is_first = run == report.runs[0]
        title = f"Against {against}" if is_first else f"{run[:1].upper()}{run[1:]}"
        if not is_first and all(output.verdict == "identical" for output in outputs):
            say(f"{title}: all {len(outputs)} outputs identical to those of the {against}.")
            continue
        say(f"{title}:" if is_first else f"{title}, against the {against}:", "bold")
        _print_table(console, outputs)
    for kind, heading in KINDS.items():
        if texts := [fault.text for fault in report.findings if fault.kind == kind]:
            say_list(heading, texts, "bold red")
    for stage, lines in report.causes.items():
        say_list(f"About {stage}", lines)
    if len(report.runs) > 1:
        console.print()
    for note in (f"Traced {report.tracing}.", *report.notes):
        say(note, "dim")
    if report.folder:
        say(f"Kept: {report.folder}")
    say(_summary(report), "bold")


def _print_table(console: Console, outputs: Sequence[OutputResult]) -> None:
    """Print a line an output; in a pipe none is padded."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("output", "stage", ""):
        table.add_column(heading, overflow="fold")
    for output in outputs:
        text = Text(output.verdict, style="green" if output.ok else "bold red")
        if output.detail:
            text.append(f": {output.detail}", style="" if output.ok else "red")
        if output.follows:
            text.append(f" (as does its input {output.follows})", style="dim")
        table.add_row(Text(output.path), Text(output.stage), text)
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        console.out(line if console.is_terminal else line.rstrip(), highlight=False)
    console.print()


def _summary(report: CheckReport) -> str:
    commit = report.commit[:7] + (f" ({report.rev})" if report.rev != report.commit else "")
    outputs = len({output.path for output in report.outputs})
    stages = counted(len(report.stages), "stage")
    runs = counted(len(report.runs), "run")
    if report.ok:
        is_exact = all(output.verdict == "identical" for output in report.outputs)
        how = "identical" if is_exact else "identical, or within tolerance"
        return f"Reproduced: all {outputs} outputs of {stages} of {commit} are {how}, in {runs}."
    wrong = len({output.path for output in report.outputs if not output.ok})
    more = f"; {len(report.findings)} more as listed" if report.findings else ""
    return f"FAILED: {commit}: {wrong} of {outputs} outputs differ{more}, in {runs} of {stages}."
