"""The words a person types; no logic."""

import sys
from typing import Annotated

import typer

from bucket.errors import BucketError

app = typer.Typer(
    name="bucket",
    help="The object store made easy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def bucket() -> None:
    """Data on object storage: serve it, move it, reproduce from it."""


@app.command(
    epilog="Example: `bucket serve`, then `dvc pull`; `bucket serve --stop` when you are done."
)
def serve(
    status: Annotated[
        bool, typer.Option("--status", help="Say whether it runs; 1 if not.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop it; the data stays.")] = False,
    if_embedded: Annotated[
        bool,
        typer.Option("--if-embedded", help="Do nothing where the settings name a store elsewhere."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --status: for a program.")] = False,
) -> None:
    """Start the embedded object store of this project in the background, on this machine only."""
    from bucket import server_text
    from bucket.paths import Project
    from bucket.server import Server

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


@app.command(
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": ["--bucket-help"],  # --help is DVC's
    },
    epilog="Example: `bucket dvc pull`, `bucket dvc status -c`, `bucket dvc --help`.",
)
def dvc(context: typer.Context) -> None:
    """Run any DVC command with this project's connection, from the environment or .env."""
    from bucket.dvc_remote import run_dvc
    from bucket.paths import Project
    from bucket.settings import Settings

    project = Project.find()
    raise typer.Exit(run_dvc(context.args, project, Settings.load(project)))


@app.command(epilog="Example: `bucket reproduce`, which `make reproduce` calls.")
def reproduce() -> None:
    """Run the stages that are stale (dvc repro), push (dvc push), and say what was done."""
    from bucket import reproduce as main_job
    from bucket.paths import Project
    from bucket.settings import Settings

    project = Project.find()
    settings = Settings.load(project)
    outcome = main_job.reproduce(project, settings, echo=print)
    print("\n" + main_job.describe(outcome, settings))


def main() -> None:
    """Run the command line; a failure of ours is one paragraph on stderr and exit status 1."""
    try:
        app()
    except BucketError as error:
        print(f"bucket: {error}", file=sys.stderr)
        sys.exit(1)
