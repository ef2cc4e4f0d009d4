"""The report's figures, as SVG that is the same text for the same numbers."""

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Colours that people with any colour vision tell apart (Okabe and Ito 2008).
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#6b7280"
ORIGIN_COLOURS = {"EWR": BLUE, "JFK": ORANGE, "LGA": GREEN}

#: The numbers beside the dots, legible where they meet a line.
NUMBER: Any = {"size": 10, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.5}}

#: Inches; narrow, so that the text keeps its size on a phone.
WIDTH = 4.6

STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: searchable, and set in the page's font
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e7eb",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def _svg(label: str, height: float, draw: Callable[[Axes], None]) -> str:
    """The `<svg>` element of a figure that `draw` fills.

    Args:
        label: what a screen reader says in place of the picture.
        height: inches.
        draw: puts the figure's content on the axes.
    """
    # An id is a hash of what it names and a salt: random without one, and its own in each figure.
    with mpl.rc_context(STYLE | {"svg.hashsalt": label}):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure.add_subplot())
        out = StringIO()
        no_time_no_tool: dict[str, Any] = {"Date": None, "Creator": None}
        figure.savefig(out, format="svg", metadata=no_time_no_tool)
    text = out.getvalue()
    # Every figure of the page numbers its parts alike; only what is referred to needs its id.
    targets = set(re.findall(r"#([\w-]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda id_: id_[0] if id_[1] in targets else "", text)
    return f'<svg role="img" aria-label="{label}"' + text[text.index("<svg") + 4 :].rstrip()


def _signed(value: float) -> str:
    """Three decimals with a sign, minus as a minus."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _dots_with_intervals(
    axes: Axes, rows: dict[str, dict[str, float]], names: dict[str, str], colour: str
) -> None:
    """One row a model: the AUC as a dot with its number, the interval as a bar."""
    labels = [names[key] for key in rows]
    values = [row["auc"] for row in rows.values()]
    errors = [
        [row["auc"] - row["auc_low"] for row in rows.values()],
        [row["auc_high"] - row["auc"] for row in rows.values()],
    ]
    positions = range(len(labels))
    axes.errorbar(values, positions, xerr=errors, fmt="o", color=colour, capsize=3, lw=2)
    axes.set_yticks(positions, labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)


def models_figure(models: dict[str, dict[str, float]], names: dict[str, str]) -> str:
    """AUC of each model on the test months, with intervals."""

    def draw(axes: Axes) -> None:
        _dots_with_intervals(axes, models, names, BLUE)
        for position, row in enumerate(models.values()):
            axes.annotate(f"{row['auc']:.3f}", (row["auc"], position - 0.22), ha="center", **NUMBER)
        axes.axvline(0.5, color=GREY, lw=1, ls="--")
        axes.set_xlim(0.46, 0.8)
        axes.set_xlabel("AUC (0.5: by chance, 1: perfectly)")

    return _svg(
        "AUC of each model with intervals; the numbers are in the table of metrics", 4.0, draw
    )


def gains_figure(gains: dict[str, dict[str, float]], names: dict[str, str]) -> str:
    """What each feature set gains in AUC over the one before it, with intervals."""

    def draw(axes: Axes) -> None:
        _dots_with_intervals(axes, gains, names, ORANGE)
        for position, row in enumerate(gains.values()):
            axes.annotate(_signed(row["auc"]), (row["auc"], position - 0.16), ha="center", **NUMBER)
        axes.axvline(0, color=GREY, lw=1, ls="--")
        axes.margins(x=0.15)
        axes.set_xlabel("gain in AUC over the set before")

    return _svg("Gain in AUC of each feature set over the one before", 2.6, draw)


def calibration_figure(curves: pd.DataFrame, names: dict[str, str]) -> str:
    """Predicted probability against the share that was late, for some models."""

    def draw(axes: Axes) -> None:
        colours = zip(names, (GREY, BLUE, ORANGE), ("s", "o", "^"), strict=False)
        for model, colour, marker in colours:
            curve = curves[curves["model"] == model]
            axes.plot(
                curve["predicted"] * 100,
                curve["observed"] * 100,
                marker=marker,
                color=colour,
                label=names[model],
            )
        axes.plot([0, 70], [0, 70], color=GREY, lw=1, ls="--")
        axes.set_xlim(0, 70)
        axes.set_ylim(0, 70)
        axes.set_xlabel("predicted to be late, %")
        axes.set_ylabel("late in fact, %")
        axes.legend(loc="upper left")

    return _svg("Predicted probability against observed share of late departures", 4.0, draw)


def hours_figure(by_hour: pd.DataFrame, names: dict[str, str]) -> str:
    """Share of late departures by scheduled hour and origin over the whole year."""

    def draw(axes: Axes) -> None:
        for origin, rows in by_hour.groupby("origin", sort=True):
            axes.plot(
                rows["hour"],
                rows["late"] * 100,
                marker="o",
                ms=3,
                color=ORIGIN_COLOURS[str(origin)],
                label=names[str(origin)],
            )
        axes.set_ylim(0, None)
        axes.set_xticks(range(5, 24, 3))
        axes.set_xlabel("scheduled hour of departure (New York time)")
        axes.set_ylabel("late departures, %")
        axes.legend(loc="upper left")

    return _svg("Share of late departures by scheduled hour and airport", 3.4, draw)
