"""Arguments and options that several commands share."""

from typing import Annotated

import typer

PathArgument = Annotated[str, typer.Argument(help="Tracked path.")]
DataArgument = Annotated[str, typer.Argument(help="Tracked path, or s3://bucket/key.")]
RevOption = Annotated[
    str | None,
    typer.Option("--rev", help="Branch, tag or commit (default: the work tree)."),
]
RemoteOption = Annotated[
    str | None,
    typer.Option("--remote", "-r", help="DVC remote (default: the project's default remote)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
