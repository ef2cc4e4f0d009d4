"""The command itself, and what several of its words share."""

from typing import Annotated

import typer

app = typer.Typer(
    name="bucket",
    help="The object store made easy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

#: What the commands that read have in common.
PathArgument = Annotated[str, typer.Argument(help="A path that DVC tracks.")]
RevOption = Annotated[str | None, typer.Option("--rev", help="Branch, tag or commit.")]
RemoteOption = Annotated[str | None, typer.Option("--remote", "-r", help="DVC's name of it.")]


@app.callback()
def bucket() -> None:
    """Data on object storage: serve it, move it, reproduce from it."""
