"""The plots of two commits, point by point."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dvc_bucket.jobs.report.commit_views import ReportedCommit
from dvc_bucket.jobs.report.metrics import Unread, unread_files

#: Keys that DVC adds to a point of a file.
ADDED = {"rev", "filename", "field", "dvc_inferred_x_value", "dvc_inferred_y_value"}


@dataclass(frozen=True)
class Point:
    """A point of a plot.

    Attributes:
        label: its place on the axis, as text; the name of a bar.
        value: its height.
        words: other values in the file that are no numbers.
    """

    label: str
    value: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plot:
    """A plot, or one line of a plot that has several.

    Attributes:
        title: of the plot.
        labels: title of the axis of labels.
        values: title of the axis of values.
        before: None for an image, or if not all points are numbers.
        after: likewise.
        has_changed: whether anything in its file differs.
    """

    title: str
    labels: str
    values: str
    before: Sequence[Point] | None
    after: Sequence[Point] | None
    has_changed: bool

    def changed_points(self) -> list[tuple[Point | None, Point | None]] | None:
        """Each point that differs, before and after; None if points cannot be matched."""
        before, after = self.before or (), self.after or ()
        was, now = (
            {(point.words, point.label): point for point in side} for side in (before, after)
        )
        are_unique = len(was) == len(before) and len(now) == len(after)
        shared = len(was.keys() & now.keys())
        pairs: Iterable[tuple[Point | None, Point | None]]
        if len(before) == len(after) and not (are_unique and shared >= len(after) / 2):
            pairs = zip(before, after, strict=True)  # the same row of the file
        elif are_unique:
            pairs = ((was.get(key), now.get(key)) for key in dict.fromkeys([*now, *was]))
        else:
            return None
        return [(point, other) for point, other in pairs if point != other]


def compare(
    drawn: Iterable[Any], base: ReportedCommit, head: ReportedCommit
) -> tuple[list[Plot], list[Unread]]:
    """Plots as DVC draws them, taken apart; and the files that cannot be compared.

    Args:
        drawn: the plots of both commits, as DVC draws them.
        base: the commit before the change.
        head: the commit after it.
    """
    plots: list[Plot] = []
    unread: list[Unread] = []
    for plot in drawn:
        errors = plot.source_errors
        missing = [
            file
            for commit in (base, head)
            for file in unread_files(errors.get(commit.title, {}), commit)
        ]
        unread += missing
        if not missing:
            plots += _lines(plot.renderer, (base.title, head.title))
    return plots, list(dict.fromkeys(unread))


def _lines(renderer: Any, titles: Sequence[str]) -> list[Plot]:
    """A plot for each line of a plot."""
    lines: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for point in renderer.datapoints:
        line = str(point.get("filename", "")), str(point.get("field", ""))
        lines.setdefault(line, []).append(point)
    named = len(lines) > 1
    return [
        _plot(renderer, points, titles, " ".join(filter(None, line)) if named else None)
        for line, points in lines.items()
    ]


def _plot(
    renderer: Any, points: Sequence[Mapping[str, Any]], titles: Sequence[str], line: str | None
) -> Plot:
    properties = renderer.properties
    names = [str(properties.get(axis, "")) for axis in "xy"]
    titled = [str(properties.get(f"{axis}_label") or properties.get(axis, "")) for axis in "xy"]
    axes = list(zip(names, titled, strict=True))
    if not _are_numbers(points, names[1]) and _are_numbers(points, names[0]):  # horizontal bars
        axes.reverse()
    (label, labels), (value, values) = axes
    sides = [[point for point in points if point.get("rev") == title] for title in titles]
    contents = [[_content(point) for point in side] for side in sides]
    can_be_drawn = renderer.TYPE != "image" and _are_numbers(points, value)
    before, after = (
        [_point(point, label, value) for point in side] if can_be_drawn else None for side in sides
    )
    title = str(properties.get("title") or renderer.name)
    full_title = title if line is None else f"{title}: {line}"
    return Plot(full_title, labels, values, before, after, contents[0] != contents[1])


def _content(point: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in point.items() if name not in ADDED}


def _point(point: Mapping[str, Any], label: str, value: str) -> Point:
    words = tuple(
        text
        for name, text in _content(point).items()
        if name not in {label, value} and isinstance(text, str) and not _is_number(text)
    )
    return Point(str(point.get(label, "")), float(point[value]), words)


def _are_numbers(points: Iterable[Mapping[str, Any]], name: str) -> bool:
    return all(_is_number(point.get(name)) for point in points)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)
