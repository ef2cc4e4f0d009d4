"""A plot as a diagram that both forges draw: Mermaid's `xychart-beta`.

https://mermaid.js.org/syntax/xyChart.html. It knows bars and lines, draws bars of two series on top
of one another, has no legend, and takes a value for every label.
"""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

from dvc_bucket.jobs.report.plots import Plot, Point

#: Grey and blue that can be seen on white and on black.
BEFORE, AFTER = "#8b949e", "#2f81f7"

#: Labels on an axis, and points of a line, that can be told apart.
MOST_LABELS, MOST_POINTS = 20, 100

#: Letters of all labels together that fit below a diagram; longer ones stand beside it.
LETTERS = 60

#: What a text of a diagram may have in it.
TEXT = re.compile(r"[^\w .,:()/%+=-]")


def chart(plot: Plot) -> tuple[list[str], str]:
    """Lines of the diagram, and how it is to be read; nothing where a diagram cannot show it."""
    before, after = plot.before or (), plot.after or ()
    sides = [side for side in (before, after) if side]
    if not sides or any(len({point.label for point in side}) < len(side) for side in sides):
        return [], ""
    labels = [point.label for point in sides[-1] if _has(sides[0], point.label)]
    if len(labels) < max(2, len(sides[-1]) / 2):
        return [], ""
    is_line = all(_number(label) is not None for label in labels)
    step = _step(labels) if is_line else 1
    chosen = labels[::step]
    if not is_line and len(chosen) > MOST_LABELS:
        return [], ""
    series = [_values(side, chosen) for side in sides]
    lines = _lines(plot, chosen, series, is_line=is_line)
    is_line = is_line or not _are_bars(series)
    left_out = any(len(side) > len(chosen) for side in sides)
    return lines, _legend(before, after, is_line=is_line, left_out=left_out)


def _lines(
    plot: Plot, labels: Sequence[str], series: Sequence[Sequence[float]], *, is_line: bool
) -> list[str]:
    lies = not is_line and sum(map(len, labels)) > LETTERS
    is_bar = not is_line and _are_bars(series)
    low, high = _range([value for values in series for value in values], from_zero=is_bar)
    kinds = ["line", "bar" if is_bar else "line"]
    both = list(zip(kinds[-len(series) :], (BEFORE, AFTER)[-len(series) :], series, strict=True))
    if is_bar:  # first, so that the line is in front
        both.reverse()
    colours = ", ".join(colour for _, colour, _ in both)
    theme = f'{{"themeVariables": {{"xyChart": {{"plotColorPalette": "{colours}"}}}}}}'
    return [
        "```mermaid",
        f"%%{{init: {theme}}}%%",
        f"xychart-beta{' horizontal' if lies else ''}",
        f"  title {_text(plot.title)}",
        f"  x-axis {_text(plot.labels)} {_axis(labels, is_line=is_line)}",
        f"  y-axis {_text(plot.values)} {low:.4g} --> {high:.4g}",
        *(f"  {kind} [{', '.join(f'{one:.6g}' for one in values)}]" for kind, _, values in both),
        "```",
        "",
    ]


def _legend(
    before: Sequence[Point], after: Sequence[Point], *, is_line: bool, left_out: bool
) -> str:
    if not before or not after:
        said = "New." if after else "Before; it is gone."
    elif is_line:
        said = "Blue: after. Grey: before."
    else:
        said = "Bars: after. Grey line: before."
    return said + (" Not every point is shown." if left_out else "")


def _are_bars(series: Sequence[Sequence[float]]) -> bool:
    """Whether bars tell the truth: they begin at the bottom, not at zero."""
    return all(value >= 0 for values in series for value in values)


def _has(points: Sequence[Point], label: str) -> bool:
    return any(point.label == label for point in points)


def _values(points: Sequence[Point], labels: Sequence[str]) -> list[float]:
    known = {point.label: point.value for point in points}
    return [known[label] for label in labels]


def _number(label: str) -> float | None:
    try:
        found = float(label)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _is_even(labels: Sequence[str]) -> bool:
    """Whether the labels are numbers at the same distance from one to the next."""
    found = [float(label) for label in labels]
    steps = [after - before for before, after in pairwise(found)]
    return all(math.isclose(one, steps[0], rel_tol=1e-6) and one > 0 for one in steps)


def _step(labels: Sequence[str]) -> int:
    """Every how many of the points are shown."""
    most = MOST_POINTS if _is_even(labels) else MOST_LABELS
    return math.ceil(len(labels) / most)


def _axis(labels: Sequence[str], *, is_line: bool) -> str:
    if is_line and _is_even(labels):
        return f"{labels[0]} --> {labels[-1]}"
    return f"[{', '.join(map(_text, labels))}]"


def _range(values: Sequence[float], *, from_zero: bool) -> tuple[float, float]:
    low, high = 0.0 if from_zero else min(values), max(values)
    room = (high - low or abs(high) or 1.0) / 20
    return low if from_zero else low - room, high + room


def _text(text: str) -> str:
    return f'"{" ".join(TEXT.sub(" ", text).split())[:LETTERS] or " "}"'
