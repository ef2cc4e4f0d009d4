"""The plots of two commits, point by point."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dvc_bucket.dvc.commit_view import CommitView
from dvc_bucket.jobs.report.metrics import Unread, why_unread

#: Of a point that DVC has read: what says where it is from, and not what is in the file.
OWN = {"rev", "filename", "field", "dvc_inferred_x_value", "dvc_inferred_y_value"}


@dataclass(frozen=True)
class Point:
    """A point of a plot.

    Attributes:
        label: where it is, as text: of a bar, its name.
        value: how high it is.
        words: what else the file has of it that is no number.
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
        before: None where the points are not all numbers, or it is an image.
        after: the same.
        has_changed: whether anything of its file's content has.
    """

    title: str
    labels: str
    values: str
    before: Sequence[Point] | None
    after: Sequence[Point] | None
    has_changed: bool


def compare(
    drawn: Iterable[Any], titles: tuple[str, str], sides: tuple[CommitView, CommitView]
) -> tuple[list[Plot], list[Unread]]:
    """Plots as DVC draws them, taken apart; and the files that cannot be compared.

    Args:
        drawn: what `match_defs_renderers` gives.
        titles: of the commits in there, before and after.
        sides: the commits.
    """
    found: list[Plot] = []
    unread: list[Unread] = []
    for one in drawn:
        missing = [
            said
            for title, word, side in zip(titles, ("before", "after"), sides, strict=True)
            for path in one.source_errors.get(title, {})
            if (said := why_unread(path, word, side))
        ]
        unread += missing
        if not missing:
            found += _plots(one.renderer, titles)
    return found, list(dict.fromkeys(unread))


def _plots(renderer: Any, titles: tuple[str, str]) -> list[Plot]:
    """A plot for each line of one."""
    lines: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for point in renderer.datapoints:
        key = (str(point.get("filename", "")), str(point.get("field", "")))
        lines.setdefault(key, []).append(point)
    return [
        _plot(renderer, points, titles, line if len(lines) > 1 else None)
        for line, points in lines.items()
    ]


def _plot(
    renderer: Any,
    points: Sequence[Mapping[str, Any]],
    titles: tuple[str, str],
    line: tuple[str, str] | None,
) -> Plot:
    said = renderer.properties
    x, y = str(said.get("x", "")), str(said.get("y", ""))
    sides = [[point for point in points if point.get("rev") == title] for title in titles]
    contents = [[_content(point) for point in side] for side in sides]
    title = str(said.get("title") or renderer.name)
    x_title, y_title = str(said.get("x_label") or x), str(said.get("y_label") or y)
    if line:
        title = f"{title}: {' '.join(filter(None, line))}"
    if renderer.TYPE == "image":
        axes = None
    elif all(_is_number(point.get(y)) for point in points):
        axes = (x, y, x_title, y_title)
    elif all(_is_number(point.get(x)) for point in points):  # bars that lie
        axes = (y, x, y_title, x_title)
    else:
        axes = None
    label, value, labels, values = axes or ("", "", x_title, y_title)
    before, after = (
        [_point(point, label, value) for point in side] if axes else None for side in sides
    )
    return Plot(title, labels, values, before, after, contents[0] != contents[1])


def _content(point: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in point.items() if name not in OWN}


def _point(point: Mapping[str, Any], label: str, value: str) -> Point:
    words = tuple(
        text
        for name, text in _content(point).items()
        if name not in {label, value} and isinstance(text, str) and not _is_number(text)
    )
    return Point(str(point.get(label, "")), float(point[value]), words)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)
