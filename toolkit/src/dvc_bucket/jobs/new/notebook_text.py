"""The notebook of a new stage."""

import json
import posixpath
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dvc_bucket.jobs.new.texts import StageTexts


def of_stage(texts: "StageTexts") -> str:
    """A notebook, format 4.5: https://nbformat.readthedocs.io/en/latest/format_description.html.

    Its first cell has the arguments, for whoever opens it: `bucket notebook` puts those of the
    command line into a cell after it.
    """
    inputs, outputs = texts.arguments
    folder = posixpath.dirname(texts.layout.script)
    lines = [
        f"{one.name} = {json.dumps(posixpath.relpath(one.path, folder))}"
        for one in [*inputs, *outputs]
    ]
    lines += [f"{key} = {value!r}" for key, value in texts.values.items()]
    work = [*(["import shutil"] if outputs else []), "from pathlib import Path", ""]
    work += [f"print(Path({one.name}).name)" for one in inputs if texts.executed]
    for output in outputs:
        target, source = f"Path({output.name})", f"Path({output.source})"
        work += [
            "",
            f"{target}.parent.mkdir(parents=True, exist_ok=True)",
            f"copy = shutil.copytree if {source}.is_dir() else shutil.copyfile",
            f"copy({output.source}, {output.name})",
        ]
    verb = "Copies" if outputs else "Names"
    title = [f"{verb} its input until it is written: {texts.description}."]
    cells = [_cell("about", title, "markdown"), _cell("arguments", lines, tags=["parameters"])]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": [*cells, _cell("work", work)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(
    name: str, lines: Sequence[str], kind: str = "code", tags: Sequence[str] = ()
) -> dict[str, Any]:
    source = [f"{line}\n" for line in lines[:-1]] + list(lines[-1:])
    cell = {"cell_type": kind, "id": name, "metadata": {"tags": [*tags]} if tags else {}}
    of_code: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {**cell, **(of_code if kind == "code" else {}), "source": source}
