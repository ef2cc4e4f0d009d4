"""The parts of the report, each as lines of Markdown."""

from collections.abc import Sequence
from itertools import groupby

from dvc_bucket.base.files import readable_size
from dvc_bucket.base.words import counted
from dvc_bucket.dvc.audit import AuditReport
from dvc_bucket.dvc.snapshot import PathRecord
from dvc_bucket.jobs.report.chart import chart
from dvc_bucket.jobs.report.data import Dataset, Rows
from dvc_bucket.jobs.report.markdown import code, details, html_code, listed, numbers, table
from dvc_bucket.jobs.report.metrics import Metric, Unread
from dvc_bucket.jobs.report.plots import Plot, Point
from dvc_bucket.jobs.report.run import Changes
from dvc_bucket.jobs.report.stages import Change, Reason

#: What is said of outputs that are not as they were.
OUTS = {"changed": "changed", "new": "new", "gone": "gone"}

ARROW = "→"

#: What DVC takes for the file of a parameter where none is named.
PARAMETERS = "params.yaml:"


def stages(found: Changes, limit: int) -> list[str]:
    """Which stages ran again, why, and what they wrote."""
    lines = ["### Stages", ""]
    if not found.changed:
        return [*lines, "No stage ran again.", ""]
    told = [(_why(one, limit), _outcome(one, limit), one.name) for one in found.changed]
    rows: list[tuple[str, ...]] = [
        (listed([code(name) for *_, name in alike], limit), *said)
        for said, alike in groupby(told, key=lambda one: one[:2])
    ]
    rows = rows[:limit] + _rest(len(rows), limit, "row")
    return [*lines, *table(("stage", "why it ran", "what it wrote"), rows)]


def _why(one: Change, limit: int) -> str:
    if one.kind != "ran again":
        return one.kind
    if not one.reasons:
        return "**nothing that it declares has changed**"
    return listed([reason(why) for why in one.reasons], limit, "<br>")


def _outcome(one: Change, limit: int) -> str:
    if one.kind == "removed":
        return ""
    if one.wrote_the_same:
        return "the same bytes" if one.outs else "nothing"
    said = [
        f"{OUTS[how]}: {listed([code(path) for path in paths], limit)}"
        for how in OUTS
        if (paths := [path for path, became in one.outs.items() if became == how])
    ]
    same = sum(how == "same" for how in one.outs.values())
    return "<br>".join([*said, f"{counted(same, 'other')} the same"] if same else said)


def reason(one: Reason) -> str:
    """What is not as it was, in a line."""
    name = one.name.removeprefix(PARAMETERS) if one.what == "parameter" else one.name
    named = f"{one.what} {code(name)}" if name else one.what
    if one.before is not None and one.after is not None:
        return f"{named}: {code(one.before)} {ARROW} {code(one.after)}"
    value = one.after if one.before is None else one.before
    maker = f", made by {code(one.maker)}" if one.maker else ""
    how = "" if one.how == "changed" else f", {one.how}"
    return f"{named}{maker}{how}{'' if value is None else f': {code(value)}'}"


def metrics(found: Changes, limit: int) -> list[str]:
    """The numbers before and after."""
    lines = ["### Metrics", ""]
    changed = [one for one in found.metrics if one.has_changed]
    same = [one for one in found.metrics if not one.has_changed]
    if changed:
        rows = [_metric(one, found) for one in changed[:limit]]
        rows += _rest(len(changed), limit, "value")
        lines += table(("metric", "before", "after", "change"), rows, right=3)
    elif found.metrics:
        lines += ["No metric changed.", ""]
    else:
        lines += ["No metric can be compared: `dvc.yaml` declares none, or none is at hand.", ""]
    if same:
        rows = [_metric(one, found)[:2] for one in same[:limit]] + _rest(len(same), limit, "value")
        summary = f"{counted(len(same), 'metric')} unchanged"
        lines += details(summary, table(("metric", "value"), rows, right=1))
    return lines


def _metric(one: Metric, found: Changes) -> tuple[str, ...]:
    is_one_file = len({other.file for other in found.metrics}) == 1
    name = one.name or one.file
    title = name if is_one_file else f"{one.file}:{one.name}".rstrip(":")
    return (code(title), *numbers(one.before, one.after))


def plots(found: Changes, limit: int) -> list[str]:
    """Diagrams and points of the plots that changed."""
    changed = [one for one in found.plots if one.has_changed]
    same = [one for one in found.plots if not one.has_changed]
    if not found.plots:
        return []
    lines = ["### Plots", ""]
    for one in changed[:limit]:
        lines += _plot(one, limit)
    if len(changed) > limit:
        lines += [f"And {counted(len(changed) - limit, 'more plot')} that changed.", ""]
    if same:
        lines += [f"Unchanged: {listed([code(one.title) for one in same], limit)}.", ""]
    if found.page:
        lines += ["The page of `dvc plots diff` was written with this report.", ""]
    elif changed:
        lines += ["`bucket report --plots DIR` writes the whole page of `dvc plots diff`.", ""]
    return lines


def _plot(one: Plot, limit: int) -> list[str]:
    title = f"**{code(one.title)}**"
    if one.before is None or one.after is None:
        return [f"{title} changed; the page of plots shows it.", ""]
    drawn, legend = chart(one)
    rows, differing = _points(one, limit)
    summary = f"{html_code(one.title)}: {counted(differing, 'point')} changed"
    headings = ("point", "before", "after", "change")
    inner = details(summary, table(headings, rows, right=3)) if rows else []
    if drawn:
        return [*drawn, legend, "", *inner]
    return inner or [f"{title} changed in what is not drawn.", ""]


def _points(one: Plot, limit: int) -> tuple[list[tuple[str, ...]], int]:
    """Rows of the points that differ, and how many these are."""
    before, after = one.before or (), one.after or ()
    was, now = ({(point.words, point.label): point for point in side} for side in (before, after))
    are_told_apart = len(was) == len(before) and len(now) == len(after)
    shared = len(was.keys() & now.keys())
    pairs: list[tuple[Point | None, Point | None]]
    if len(before) == len(after) and not (are_told_apart and shared >= len(after) / 2):
        pairs = list(zip(before, after, strict=True))  # the same row of the file
    elif not are_told_apart:
        counts = ("number of points", *numbers(len(before), len(after)))
        return [counts], max(len(before), len(after))
    else:
        pairs = [(was.get(key), now.get(key)) for key in dict.fromkeys([*now, *was])]
    rows = [_point(one, other) for one, other in pairs if one != other]
    return rows[:limit] + _rest(len(rows), limit, "point"), len(rows)


def _point(was: Point | None, now: Point | None) -> tuple[str, ...]:
    points = [point for point in (was, now) if point]
    labels = dict.fromkeys(point.label for point in points)
    title = [*map(code, points[-1].words), f" {ARROW} ".join(map(code, labels))]
    values = (point.value if point else None for point in (was, now))
    return (" ".join(title), *numbers(*values))


def data(found: Changes, limit: int) -> list[str]:
    """Files, bytes and rows of the data that changed."""
    lines = ["### Data", ""]
    same = f"{counted(found.same_datasets, 'other')} unchanged." if found.same_datasets else ""
    if not found.datasets:
        return [*lines, "No data that DVC tracks changed.", ""]
    rows = [_dataset(one) for one in found.datasets[:limit]]
    rows += _rest(len(found.datasets), limit, "path")
    lines += table(("data", "files", "size", "rows"), rows, right=2)
    for one in found.datasets[:limit]:
        lines += _files(one, limit)
    return [*lines, same, ""] if same else lines


def _dataset(one: Dataset) -> tuple[str, ...]:
    if one.before is None or one.after is None:
        files = "new" if one.before is None else "removed"
        out = one.after or one.before
        if out and out.files is not None:
            files += f", {counted(out.files, 'file')}"
    elif not one.is_directory:
        files = "changed"
    elif one.files is None:
        files = f"{_files_of(one.before)} {ARROW} {_files_of(one.after)}, their names not at hand"
    else:
        kinds = {
            "changed": one.files.changed,
            "added": one.files.added,
            "removed": one.files.removed,
        }
        said = [f"{len(paths):,} {how}" for how, paths in kinds.items() if paths]
        files = f"{', '.join(said) or 'none changed'}, of {_files_of(one.after)}"
    return code(one.path), files, _sizes(one), _rows(one)


def _files_of(out: PathRecord) -> str:
    return "?" if out.files is None else f"{out.files:,}"


def _sizes(one: Dataset) -> str:
    sizes = [None if out is None else out.size for out in (one.before, one.after)]
    shown = ["not noted" if size is None else readable_size(size) for size in sizes]
    if one.before is None or one.after is None:
        return shown[one.before is None]
    if sizes[0] == sizes[1]:
        return shown[1]
    if None not in sizes and shown[0] == shown[1]:
        shown = [f"{size:,} B" for size in sizes]
    return f"{shown[0]} {ARROW} {shown[1]}"


def _rows(one: Dataset) -> str:
    before, after = one.rows
    if one.before is None or one.after is None:
        return _row(after if one.before is None else before)
    if isinstance(before, int) and isinstance(after, int) and before != after:
        return f"{before:,} {ARROW} {after:,} ({after - before:+,})"
    return _row(after) if before == after else f"{_row(before)} {ARROW} {_row(after)}"


def _row(rows: Rows) -> str:
    return f"{rows:,}" if isinstance(rows, int) else rows or ""


def _files(one: Dataset, limit: int) -> list[str]:
    """The names of the files of a directory that differ."""
    if one.files is None or not one.is_directory or not (one.before and one.after):
        return []
    kinds = {"changed": one.files.changed, "added": one.files.added, "removed": one.files.removed}
    lines = [
        f"- {how}: {listed([code(path) for path in paths], limit)}"
        for how, paths in kinds.items()
        if paths
    ]
    return details(f"files of {html_code(one.path)}", [*lines, ""]) if lines else []


def remote(found: Changes, limit: int) -> list[str]:
    """What `bucket verify` says of the head."""
    lines = ["### On the remote", ""]
    report = found.pushed
    if report is None:
        return [*lines, f"The remote was not asked: {found.why_not}.", ""]
    if report.ok:
        if not report.objects:
            return [*lines, "This commit needs nothing from the remote.", ""]
        whole = f"{counted(report.objects, 'object')}, {readable_size(report.size)}"
        return [*lines, f"All that this commit needs is there: {whole}.", ""]
    rows: list[tuple[str, ...]] = [
        (code(one.name), f"{one.objects:,}", f"{one.missing:,}", f"{one.damaged:,}")
        for one in report.datasets
        if one.missing or one.damaged
    ]
    headings = ("data", "objects", "missing", "damaged")
    lines += table(headings, rows[:limit] + _rest(len(rows), limit, "path"), right=3)
    return lines + _findings(report, limit)


def _findings(report: AuditReport, limit: int) -> list[str]:
    lines = []
    for kind, group in groupby(
        sorted(report.findings, key=lambda one: (one.fault.kind, one.path)),
        key=lambda one: one.fault.kind,
    ):
        paths = list(dict.fromkeys(one.path or "the commit itself" for one in group))
        lines.append(f"- {kind}: {listed([code(path) for path in paths], limit)}")
    return details(f"{counted(len(report.findings), 'finding')}", [*lines, ""])


def unread(found: Sequence[Unread], limit: int) -> list[str]:
    """The files that were not compared."""
    if not found:
        return []
    said = [f"{code(one.file)} ({one.side} the change, {one.why})" for one in found]
    return [f"Not compared: {listed(said, limit)}.", ""]


def _rest(count: int, limit: int, what: str) -> list[tuple[str, ...]]:
    """A row for what a table leaves out."""
    return [(f"and {counted(count - limit, f'more {what}')}",)] if count > limit else []
