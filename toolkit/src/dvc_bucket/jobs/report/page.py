"""Reports in Markdown, short enough for a comment: the templates with what they need."""

from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import jinja2

from dvc_bucket.base.files import readable_size
from dvc_bucket.base.words import counted
from dvc_bucket.dvc.audit.findings import AuditReport, DatasetCount
from dvc_bucket.jobs.report.chart import chart
from dvc_bucket.jobs.report.comparison import Changes
from dvc_bucket.jobs.report.datasets import DatasetChange
from dvc_bucket.jobs.report.differences import which
from dvc_bucket.jobs.report.experiments import Experiments, Name, Row
from dvc_bucket.jobs.report.markdown import code, listed, numbers
from dvc_bucket.jobs.report.stages import StageChange

#: The first line, by which a program finds the comment that it wrote before.
MARKER = "<!-- bucket report -->"
EXPERIMENTS_MARKER = "<!-- bucket report of experiments -->"

#: Bytes of the text at most. A comment on GitHub has up to 65,536 characters, one on GitLab a
#: million; what puts the report there may add something.
MAX_PAGE_BYTES = 60_000

#: Numbers of listed items of a kind; the first with which the page is short enough is taken.
LIMITS = (50, 20, 10, 5, 2, 1)

ARROW = " → "


def render(changes: Changes) -> str:
    """The whole report on a change."""
    return _page("report.md.j2", MARKER, changes)


def render_experiments(found: Experiments) -> str:
    """The whole report on experiments."""
    return _page("experiments.md.j2", EXPERIMENTS_MARKER, found)


def _page(template: str, marker: str, found: Changes | Experiments) -> str:
    """A template with what was found, short enough for a comment."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    of_values = (chart, code, counted, listed, numbers, readable_size)
    of_rows = (alike, dataset_cells, grid, lacking, paths_by_fault, title_of, which)
    environment.filters |= {function.__name__: function for function in (*of_values, *of_rows)}
    for limit in LIMITS:
        page = environment.get_template(template).render(vars(found), marker=marker, limit=limit)
        if len(page.encode()) <= MAX_PAGE_BYTES:
            break
    return page


def alike(
    stages: Sequence[StageChange], *columns: Callable[[StageChange], str]
) -> list[dict[str, Sequence[str]]]:
    """Neighbours with the same text in all columns: names of the stages, and the texts."""
    rows = [(stage.name, [column(stage) for column in columns]) for stage in stages]
    return [
        {"texts": texts, "names": [name for name, _ in neighbours]}
        for texts, neighbours in groupby(rows, key=itemgetter(1))
    ]


def grid(rows: Sequence[Row], names: Sequence[Name]) -> list[Sequence[str]]:
    """Cells of a table of experiments and values, headings first; what is more goes down."""
    lines: list[Sequence[str]] = [["experiment", *(code(name.text) for name in names)]]
    for row in rows:
        values = (row.values.get(name) for name in names)
        lines.append([title_of(row), *(numbers(value, value)[0] for value in values)])
    return lines if len(rows) >= len(names) else list(zip(*lines, strict=True))


def title_of(row: Row) -> str:
    """What stands for an experiment, or for the commit that it begins with."""
    return code(row.name) if row.name else "the commit itself"


def lacking(report: AuditReport) -> list[DatasetCount]:
    """The datasets of which something is missing, damaged or not checked on the remote."""
    return [row for row in report.datasets if row.missing or row.damaged or row.not_checked]


def paths_by_fault(report: AuditReport) -> list[tuple[str, list[str]]]:
    """The paths with a fault, by its kind."""
    faults = sorted({(finding.fault.kind, finding.path) for finding in report.findings})
    return [
        (kind, [path or "the commit itself" for _, path in paths])
        for kind, paths in groupby(faults, key=itemgetter(0))
    ]


def dataset_cells(data: DatasetChange) -> tuple[str, str, str]:
    """Files, size and rows of a dataset, before and after."""
    sizes = [record.size for record in data.records]
    shown = ["not noted" if size is None else readable_size(size) for size in sizes]
    if len(set(shown)) < len(set(sizes)):
        shown = [f"{size:,} B" for size in sizes]
    rows = [f"{count:,}" if isinstance(count, int) else count or "" for count in data.rows]
    match data.rows:
        case int(before), int(after) if before != after:
            rows[1] += f" ({after - before:+,})"
    return _file_counts(data), ARROW.join(dict.fromkeys(shown)), ARROW.join(dict.fromkeys(rows))


def _file_counts(data: DatasetChange) -> str:
    totals = ["?" if record.files is None else f"{record.files:,}" for record in data.records]
    if data.outcome != "changed":
        word, files = "new" if data.outcome == "new" else "removed", data.records[0].files
        return word if files is None else f"{word}, {counted(files, 'file')}"
    if not data.is_directory:
        return "changed"
    if data.files is None:
        return f"{ARROW.join(totals)}, their names not at hand"
    kinds = [f"{len(names):,} {kind}" for kind, names in data.files.items()]
    return f"{', '.join(kinds) or 'none changed'}, of {totals[1]}"
