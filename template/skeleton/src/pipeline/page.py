"""The report: one self-contained page, the same text for the same numbers."""

from html import escape
from io import StringIO

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mean temperature by site</title>
<style>body {{ max-width: 40rem; margin: 2rem auto; font-family: sans-serif }}</style>
<h1>Mean temperature by site</h1>
{figure}
<table>
<tr><th>site</th><th>mean, °C</th><th>days</th></tr>
{rows}
</table>
</html>
"""


def figure(sites: pd.DataFrame) -> str:
    """A bar for each site, as an `<svg>` element."""
    # An id in the SVG is a hash of what it names and a salt, which is random unless set.
    with mpl.rc_context({"svg.hashsalt": "sites", "svg.fonttype": "none"}):
        drawing = Figure(figsize=(5, 0.6 + 0.5 * len(sites)), layout="constrained")
        axes = drawing.add_subplot()
        axes.barh(list(sites.index), list(sites["celsius"]))
        axes.invert_yaxis()
        axes.set_xlabel("mean temperature, °C")
        out = StringIO()
        drawing.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :].rstrip()


def page(sites: pd.DataFrame) -> str:
    """The page for the sites: columns `celsius` and `days`, index `site`."""
    rows = [
        f"<tr><td>{escape(str(site))}</td><td>{row['celsius']:.1f}</td><td>{row['days']:.0f}</td></tr>"
        for site, row in sites.iterrows()
    ]
    return PAGE.format(figure=figure(sites), rows="\n".join(rows))
