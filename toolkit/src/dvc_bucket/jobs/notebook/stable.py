"""An executed notebook as text that is the same after each run with the same results.

What differs from run to run is left out or has one value: counts of executions, times, the version
of Python, what goes to standard error, addresses in memory, names of widgets.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

#: An object's place in memory, as Python shows it: `<Axes at 0x7f3a5c0d2b10>`.
ADDRESS = re.compile(r"(?<= at )0x[0-9a-fA-F]{4,16}\b")

#: Sequences that colour a terminal: ECMA-48, "CSI ... m".
COLOURS = re.compile(r"\x1b\[[0-9;]*m")

#: Outputs that refer to a widget by a random name.
WIDGET = "application/vnd.jupyter.widget-view+json"


def without_colours(text: str) -> str:
    """The text without the sequences that colour a terminal."""
    return COLOURS.sub("", text)


def text(notebook: "NotebookNode") -> str:
    """The text of the file. The notebook is changed for it."""
    import nbformat

    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.outputs = list(_outputs(cell.outputs))
    notebook.metadata.get("language_info", {}).clear()
    notebook.metadata.language_info = {"name": "python"}
    return f"{nbformat.writes(notebook, nbformat.NO_CONVERT)}\n"


def _outputs(outputs: list[Any]) -> Iterator[Any]:
    """Outputs without what differs. What is printed is one output, in whatever pieces it came."""
    last: Any = None
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            output.text = ADDRESS.sub("0x0", output.text)
            if last is not None and last.output_type == "stream":
                last.text += output.text
                continue
        elif "data" in output:
            output.data.pop(WIDGET, None)
            for kind, value in output.data.items():
                if kind.startswith("text/") and isinstance(value, str):
                    output.data[kind] = ADDRESS.sub("0x0", value)
            if output.output_type == "execute_result":
                output.execution_count = None
        yield output
        last = output
