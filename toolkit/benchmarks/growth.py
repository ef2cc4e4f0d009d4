"""How costs grow with the number of files and of stages, drawn from the other tables.

It measures nothing: it reads the tables of a file of results, draws each operation with a line a
tool on logarithmic axes, and writes a section with the fitted growth. Claim: from 10,000 to 200,000
files and from 10 to 1,000 stages, no command's time per file or stage grows by more than 15 %.
"""

import os
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import matplotlib as mpl
import numpy as np
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from measuring import put_section
from repro import TOOLS

TITLE = "## Growth"

#: Seconds by number of files or stages.
Line = dict[int, float]

#: The lines of a panel, by panel and tool or command.
Panels = dict[str, dict[str, Line]]

#: Commands that would change something if there was something to do.
CHANGING = {"bucket status", "bucket push", "bucket pull", "bucket repro", "dvc status"}

#: Time per file is compared with that at this number of files, per stage at the smallest number.
BASE_FILES = 10_000

#: Colours that people with any colour vision tell apart (Okabe and Ito 2008); a dash each, too.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#6b7280", "#cc79a7", "#000000", "#56b4e9", "#e69f00")
DASHES = ("-", "--", "-.", ":")

COLUMNS = 3

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "growth",  # without it the same numbers give other ids
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e5e7eb",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


def section_of(text: str, heading: str) -> str:
    """The lines below a heading, to the next heading."""
    return text.partition(f"\n{heading}\n")[2].partition("\n#")[0]


def rows_of(text: str, heading: str) -> Iterator[dict[str, str]]:
    """The rows of the tables below a heading, which share their columns, by the names of these."""
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section_of(text, heading).splitlines()
        if line.startswith("|") and not line.startswith("| ---")
    ]
    for cells in table:
        if cells != table[0]:
            yield dict(zip(table[0], cells, strict=False))


def seconds(cell: str) -> float:
    """The first number of a cell, a median."""
    return float(cell.split()[0])


def files(text: str) -> Panels:
    """A panel for each operation on files of 4 KiB, a line for each tool."""
    panels: Panels = {}
    sizes = {
        int(found.replace(",", "")) for found in re.findall(r"(?m)^### ([\d,]+) x 4 KiB$", text)
    }
    for size in sorted(sizes):
        for row in rows_of(text, f"### {size:,} x 4 KiB"):
            lines = panels.setdefault(f"{row['operation']}, files", {})
            lines.setdefault(row["tool"], {})[size] = seconds(row["wall, s"])
    return panels


def stages(text: str) -> Panels:
    """Panels for commands that have nothing to do, and one for a run of all stages."""
    lines = {
        row.pop("command").strip("`"): {int(size): seconds(cell) for size, cell in row.items()}
        for row in rows_of(text, "## Start, and many stages")
    }
    panels: Panels = {
        "nothing to do, stages": {word: lines[word] for word in lines if word in CHANGING},
        "looking, stages": {word: lines[word] for word in lines if word not in CHANGING},
        "run all, stages": {},
    }
    for row in rows_of(text, "## Many stages"):
        number, _, case = row["stages"].partition(" x ")
        if case.startswith("trivial"):
            for tool in TOOLS:
                if row.get(tool, "-") != "-":
                    line = panels["run all, stages"].setdefault(tool, {})
                    line[int(number.replace(",", ""))] = seconds(row[tool])
    return panels


def draw(panels: Panels) -> Figure:
    """All panels, each with a grey line of growth in proportion."""
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(8.4, 2.7 * rows), layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes, (name, lines) in zip(grid, panels.items(), strict=False):
        draw_panel(axes, lines)
        title, unit = name.rsplit(", ", 1)
        axes.set(xscale="log", yscale="log", title=title, xlabel=unit, ylabel="seconds")
        axes.minorticks_off()
    for axes in grid[len(panels) :]:
        axes.remove()
    return figure


def svg(panels: Panels) -> str:
    """The picture as text: the same for the same numbers, and no longer than it has to be."""
    out = StringIO()
    with mpl.rc_context(STYLE):
        draw(panels).savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"(\.\d)\d+", r"\1", re.sub(r"(?m)^ +", "", out.getvalue()))
    targets = set(re.findall(r"#([\w-]+)", text))
    return re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in targets else "", text)


def draw_panel(axes: Axes, lines: dict[str, Line]) -> None:
    """A line for each tool or command."""
    for number, (name, line) in enumerate(lines.items()):
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
        axes.plot([*line], [*line.values()], dash, marker="o", ms=3, color=colour, label=name)
    first = next(iter(lines.values()))
    sizes = np.array([min(first), max(first)])
    axes.plot(sizes, first[sizes[0]] * sizes / sizes[0], color="#9ca3af", lw=0.8, zorder=0)
    axes.legend()


def growth(line: Line) -> tuple[float, float]:
    """The fitted exponent, and the time per file or stage of the largest over that of the base."""
    sizes, times = np.array([*line]), np.array([*line.values()])
    base = BASE_FILES if BASE_FILES in line else sizes[0]
    exponent = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    return exponent, times[-1] / sizes[-1] / (line[base] / base)


def main(
    output: Annotated[Path, typer.Option(help="The file of results: read, and written to.")],
    picture: Annotated[Path, typer.Option(help="The SVG to write.")],
) -> None:
    """Draw the growth, and write its section."""
    text = output.read_text(encoding="utf-8")
    panels = {
        name: several
        for name, lines in (files(text) | stages(text)).items()
        if (several := {tool: line for tool, line in lines.items() if len(line) > 1})
    }
    picture.write_text(svg(panels), encoding="utf-8")
    link = Path(os.path.relpath(picture, output.parent)).as_posix()
    lines = [
        TITLE,
        "",
        INTRODUCTION,
        f"![Seconds by number of files and of stages; the table below has the growth]({link})",
        "",
        "| operation | of | tool or command | from | to | exponent | time of one, largest / base |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, tools in panels.items():
        for tool, line in tools.items():
            exponent, ratio = growth(line)
            cells = (*name.rsplit(", ", 1), tool, f"{min(line):,}", f"{max(line):,}")
            lines.append(f"| {' | '.join(cells)} | {exponent:.2f} | {ratio:.2f} |")
    print("\n".join(lines))
    put_section(output, TITLE, "\n".join(lines))


#: Below the heading.
INTRODUCTION = f"""\
`python benchmarks/growth.py --output benchmarks/RESULTS.md --picture docs/growth.svg` in `toolkit/`
draws the tables of this page, on logarithmic axes. The grey line is growth in proportion, from the
first point of the first tool. The exponent is fitted to all points: 1 is growth in proportion. The
last column compares the time per file with that at {BASE_FILES:,} files, and the time per stage
with that at the fewest.
"""


if __name__ == "__main__":
    typer.run(main)
