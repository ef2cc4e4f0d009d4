"""The report: a line an output and what is wrong for people, JSON for programs."""

import dataclasses
import json
from collections.abc import Sequence
from itertools import groupby

from rich.text import Text

from dvc_bucket.base.console import Console
from dvc_bucket.base.words import counted
from dvc_bucket.jobs.check.findings import KINDS, UNSEEN, CheckReport, OutputResult


def as_json(report: CheckReport) -> str:
    """All findings as JSON."""
    return json.dumps(
        {"ok": report.ok, "status": report.status} | dataclasses.asdict(report), indent=2
    )


def show(report: CheckReport) -> None:
    """Print a line an output, then what is wrong and why, and what else there is to know."""
    console = Console()
    for _, group in groupby(report.outputs, key=lambda output: (output.run, output.against)):
        _show_outputs(console, list(group), report.runs[0])
    for kind, heading in KINDS.items():
        texts = [fault.text for fault in report.findings if fault.kind == kind]
        _show_list(console, heading, texts, "bold red")
    for stage, lines in report.causes.items():
        _show_list(console, f"About {stage}", lines, "bold")
    if len(report.runs) > 1:
        console.print()
    for note in (*([f"Traced {report.tracing}."] if report.tracing else ()), *report.notes):
        console.say(note, "dim")
    if report.folder:
        console.say(f"Kept: {report.folder}")
    console.say(_summary(report), "bold")


def _show_list(console: Console, heading: str, lines: Sequence[str], style: str) -> None:
    """Print a heading and lines below it; nothing if there are none."""
    if lines:
        console.say(f"{heading}:", style)
        for line in lines:
            console.say(f"  {line}")
        console.print()


def _show_outputs(console: Console, outputs: Sequence[OutputResult], first_run: str) -> None:
    """Print a line an output of one run; one in all for a further run that is like the first."""
    run, against = outputs[0].run, outputs[0].against
    title = f"Against {against}"
    if run != first_run:
        further = f"{run[:1].upper()}{run[1:]}"
        title = f"{further}, against the {against}"
        if all(output.verdict == "identical" for output in outputs):
            text = f"{further}: all {len(outputs)} outputs identical to those of the {against}."
            console.say(text)
            return
    console.say(f"{title}:", "bold")
    console.show(("output", "stage", ""), map(_row, outputs))
    console.print()


def _row(output: OutputResult) -> tuple[Text, Text, Text]:
    """Path, stage, and what the comparison says."""
    text = Text(output.verdict, style="green" if output.ok else "bold red")
    if output.detail:
        text.append(f": {output.detail}", style="" if output.ok else "red")
    if output.follows:
        text.append(f" (as does its input {output.follows})", style="dim")
    return Text(output.path), Text(output.stage), text


def _summary(report: CheckReport) -> str:
    commit = report.commit[:7] + (f" ({report.rev})" if report.rev != report.commit else "")
    outputs = len({output.path for output in report.outputs})
    stages = counted(len(report.stages), "stage")
    runs = counted(len(report.runs), "run")
    if not report.stages:
        return f"Nothing to check in {commit}."
    if report.ok:
        is_exact = all(output.verdict == "identical" for output in report.outputs)
        how = "identical" if is_exact else "identical, or within tolerance"
        return f"Reproduced: all {outputs} outputs of {stages} of {commit} are {how}, in {runs}."
    if report.status == 3:
        return f"NOT CHECKED: {commit}: {' '.join(dict.fromkeys(report.doubts.values()))}"
    unseen = {output.path for output in report.outputs if output.verdict == UNSEEN}
    wrong = {output.path for output in report.outputs if not output.ok}
    wrong -= unseen - {output.path for output in report.outputs if output.verdict == "differs"}
    more = f"; {len(unseen)} {UNSEEN} here" if unseen else ""
    more += f"; {len(report.findings)} more as listed" if report.findings else ""
    return (
        f"FAILED: {commit}: {len(wrong)} of {outputs} outputs differ{more}, in {runs} of {stages}."
    )
