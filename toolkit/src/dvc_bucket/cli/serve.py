"""`bucket serve`."""

from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption


def serve(
    status: Annotated[
        bool, typer.Option("--status", help="Show whether the store runs. Exits 1 if it does not.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the store; its data stays.")] = False,
    if_embedded: Annotated[
        bool,
        typer.Option("--if-embedded", help="Do nothing if the settings name another store."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start the embedded object store of this project in the background, on this machine only.

    Examples:
      bucket serve
      bucket serve --status --json
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.store import text as server_text
    from dvc_bucket.store.server import Server

    server = Server(Project.find())
    if (status and stop) or (as_json and not status):
        raise typer.BadParameter("--status and --stop exclude each other; --json needs --status")
    if status:
        found = server.status()
        print(found.as_json() if as_json else server_text.status(found))
        raise typer.Exit(0 if found.state == "running" else 1)
    if stop:
        print(server_text.stopped(ran=server.stop()))
    elif server.is_wanted or not if_embedded:
        print(server_text.started(server.start()))
