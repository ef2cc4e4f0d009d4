"""A plot as a diagram that both forges draw: Mermaid's `xychart-beta`.

https://mermaid.js.org/syntax/xyChart.html. It knows bars and lines, draws bars of two series on top
of one another, has no legend, and takes a value for every label.
"""

import math
import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from dvc_bucket.jobs.report.plots import Plot

#: Grey and blue that can be seen on white and on black.
BEFORE, AFTER = "#8b949e", "#2f81f7"

#: Labels on an axis, and points of a line, that can be told apart.
MAX_LABELS, MAX_POINTS = 20, 100

#: Letters of all labels together that fit below a diagram; longer ones stand beside it.
MAX_LETTERS = 60

#: Characters that a text of a diagram does not have.
FORBIDDEN = re.compile(r"[^\w .,:()/%+=-]")


def chart(plot: Plot) -> tuple[list[str], str]:
    """Lines of the diagram, and how to read it; nothing if a diagram cannot show the plot."""
    points = [side for side in (plot.before, plot.after) if side]
    sides = [{point.label: point.value for point in side} for side in points]
    are_unique = list(map(len, sides)) == list(map(len, points))  # no label stands twice
    shown = _shown(sides[0], sides[-1]) if sides and are_unique else []
    if not shown:
        return [], ""
    series = [[side[label] for label in shown] for side in sides]
    are_numbers = all(map(_is_finite, shown))
    # Bars begin at the bottom of a diagram, so they are right only if that is zero.
    are_bars = not are_numbers and all(value >= 0 for values in series for value in values)
    lines = _lines(plot, shown, series, are_numbers=are_numbers, are_bars=are_bars)
    legend = "Bars: after. Grey line: before." if are_bars else "Blue: after. Grey: before."
    if not plot.before or not plot.after:
        legend = "New." if plot.after else "Before; removed since."
    is_whole = all(len(side) == len(shown) for side in sides)
    return lines, legend if is_whole else f"{legend} Not every point is shown."


def _shown(before: Collection[str], after: Collection[str]) -> Sequence[str]:
    """The labels of both sides that are shown; none if those would not show the plot."""
    labels = [label for label in after if label in before]
    are_numbers = all(map(_is_finite, labels))
    most = MAX_POINTS if are_numbers and _are_even(labels) else MAX_LABELS
    if len(labels) < max(2, len(after) / 2) or (not are_numbers and len(labels) > most):
        return []
    return labels[:: math.ceil(len(labels) / most)]


def _lines(
    plot: Plot,
    labels: Sequence[str],
    series: Sequence[Sequence[float]],
    *,
    are_numbers: bool,
    are_bars: bool,
) -> list[str]:
    """The diagram in Mermaid."""
    is_horizontal = not are_numbers and sum(map(len, labels)) > MAX_LETTERS
    if are_numbers and _are_even(labels):
        axis = f"{labels[0]} --> {labels[-1]}"
    else:
        axis = f"[{', '.join(map(_text, labels))}]"
    low, high = 0.0 if are_bars else min(map(min, series)), max(map(max, series))
    room = (high - low or abs(high) or 1.0) / 20
    bottom = low if are_bars else low - room
    kinds = [("line", BEFORE), ("bar" if are_bars else "line", AFTER)][-len(series) :]
    drawn = list(zip(kinds, series, strict=True))
    if are_bars:  # first, so that the line is in front
        drawn.reverse()
    colours = ", ".join(colour for (_, colour), _ in drawn)
    theme = f'{{"themeVariables": {{"xyChart": {{"plotColorPalette": "{colours}"}}}}}}'
    return [
        "```mermaid",
        f"%%{{init: {theme}}}%%",
        f"xychart-beta{' horizontal' if is_horizontal else ''}",
        f"  title {_text(plot.title)}",
        f"  x-axis {_text(plot.labels)} {axis}",
        f"  y-axis {_text(plot.values)} {bottom:.4g} --> {high + room:.4g}",
        *(f"  {kind} [{', '.join(f'{x:.6g}' for x in values)}]" for (kind, _), values in drawn),
        "```",
        "",
    ]


def _is_finite(label: str) -> bool:
    try:
        return math.isfinite(float(label))
    except ValueError:
        return False


def _are_even(labels: Sequence[str]) -> bool:
    """Whether the labels are numbers with the same distance from one to the next."""
    steps = [float(after) - float(before) for before, after in pairwise(labels)]
    return all(math.isclose(step, steps[0], rel_tol=1e-6) and step > 0 for step in steps)


def _text(text: str) -> str:
    return f'"{" ".join(FORBIDDEN.sub(" ", text).split())[:MAX_LETTERS] or " "}"'
