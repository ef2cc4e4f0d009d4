"""`bucket serve`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dvc_bucket.base.options import JsonOption

if TYPE_CHECKING:
    from dvc_bucket.base.paths import Project


StatusOption = Annotated[
    bool, typer.Option("--status", help="Show whether the store runs. Exits 1 if it does not.")
]
StopOption = Annotated[bool, typer.Option("--stop", help="Stop the store; its data stays.")]
IfEmbeddedOption = Annotated[
    bool,
    typer.Option("--if-embedded", help="Do nothing if the settings name another store."),
]
ToFileOption = Annotated[
    Path | None,
    typer.Option("--export", help="Write all objects of the store to this new tar file."),
]
FromFileOption = Annotated[
    Path | None,
    typer.Option("--import", help="Add the objects of an exported file to the store."),
]


def serve(
    status: StatusOption = False,
    stop: StopOption = False,
    if_embedded: IfEmbeddedOption = False,
    to_file: ToFileOption = None,
    from_file: FromFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start the embedded object store of this project in the background.

    Only this machine can reach it: it listens on 127.0.0.1.

    Examples:
      bucket serve
      bucket serve --export ../project-data.tar
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.store import text as server_text
    from dvc_bucket.store.server import Server

    server = Server(Project.find())
    if sum(map(bool, (status, stop, to_file, from_file))) > 1 or (as_json and not status):
        raise typer.BadParameter(
            "--status, --stop, --export and --import exclude each other; --json needs --status"
        )
    if to_file or from_file:
        _move(server.project, to_file, from_file)
    elif status:
        found = server.status()
        print(found.as_json() if as_json else server_text.status(found))
        raise typer.Exit(0 if found.state == "running" else 1)
    elif stop:
        print(server_text.stopped(ran=server.stop()))
    elif if_embedded:
        serve_if_embedded(server.project)
    else:
        print(server_text.started(server.start()))


def serve_if_embedded(project: "Project") -> None:
    """Start the embedded store and say so, if the settings name it."""
    from dvc_bucket.store import text as server_text
    from dvc_bucket.store.server import Server

    server = Server(project)
    if server.is_wanted:
        print(server_text.started(server.start()), flush=True)  # before other programs print


def _move(project: "Project", to_file: Path | None, from_file: Path | None) -> None:
    """Export to a file, or import from one."""
    from dvc_bucket.base.files import readable_size
    from dvc_bucket.base.progress import bar
    from dvc_bucket.base.words import counted
    from dvc_bucket.jobs.archive import exporting, importing

    with bar() as progress:
        if to_file:
            moved = exporting.export(project, to_file, progress)
            what = f"written to {to_file}. In another clone: `bucket serve --import FILE`"
        elif from_file:
            moved = importing.load(project, from_file, progress)
            what = f"imported; {moved.there:,} existed. `bucket pull` adds them to the work tree"
    print(f"{counted(moved.objects, 'object')} ({readable_size(moved.size)}) {what}.")
