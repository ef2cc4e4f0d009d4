"""`bucket notebook`, which stages call."""

from pathlib import Path
from typing import Annotated

import typer


def notebook(
    source: Annotated[Path, typer.Argument(help="Notebook to run.", metavar="NOTEBOOK")],
    values: Annotated[
        list[str] | None,
        typer.Argument(help="Variables to set.", metavar="[NAME=VALUE]..."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File for the notebook with its outputs."),
    ] = None,
) -> None:
    """Run a notebook as a stage and write the executed notebook with stable bytes.

    The values are inserted after the cell with the tag `parameters`. The command needs nbclient and
    ipykernel.

    Examples:
      bucket notebook notebooks/levels.ipynb levels=data/raw/levels.csv --out reports/levels.ipynb
      bucket notebook notebooks/levels.ipynb levels=data/raw/levels.csv window=3
    """
    from dvc_bucket.jobs.notebook.execution import NotebookRun, run

    pairs = [text.partition("=") for text in values or ()]
    for name, equals, _ in pairs:
        if not (equals and name.isidentifier()):
            raise typer.BadParameter(
                f"{name!r}: write NAME=VALUE, where NAME is a valid Python variable",
                param_hint="NAME=VALUE",
            )
    run(NotebookRun(source, out, {name: value for name, _, value in pairs}))
