"""Words that set up: the embedded store, another bucket, what is wrong with either."""

from typing import Annotated

import typer

from dvc_bucket.cli.app import app


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


@app.command(
    epilog="Example: `bucket init`, which asks; or `bucket init --endpoint https://s3.example.org "
    "--bucket lab-data --prefix my-project --yes`, with the two keys in the environment."
)
def init(
    name: Annotated[str | None, typer.Option(help="Name of the project.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="URL of the S3 API, or: aws.")] = None,
    region: Annotated[str | None, typer.Option(help="Region that requests are signed for.")] = None,
    bucket: Annotated[str | None, typer.Option(help="The bucket.")] = None,
    prefix: Annotated[
        str | None, typer.Option(help="Prefix of its keys in the bucket; the name, if it was.")
    ] = None,
    cacert: Annotated[
        str | None,
        typer.Option(help="PEM file of the certificate authority, where it is not a public one."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Write without asking; the rest stays.")
    ] = False,
    no_doctor: Annotated[
        bool, typer.Option("--no-doctor", help="Do not run `bucket doctor` at the end.")
    ] = False,
) -> None:
    """Point the project at a bucket: writes every place that names it, and .env with your keys.

    The keys are asked for without being shown, or taken from OS_ACCESS_KEY_ID and
    OS_SECRET_ACCESS_KEY of the environment; never from the command line.
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.named_files import Names
    from dvc_bucket.jobs import init as dialogue

    given = Names(project=name, endpoint=endpoint, region=region, bucket=bucket, prefix=prefix)
    dialogue.run(Project.find(), given, cacert=cacert, yes=yes)
    if not no_doctor:
        doctor()


@app.command(epilog="Example: `bucket doctor`, or `bucket doctor --json | jq .ok`.")
def doctor(
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Do not write probe objects to the bucket.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Find what is wrong with the connection, the credentials or this machine, and the fix."""
    from dvc_bucket.base import progress
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.doctor import examine, report

    project = Project.find()
    with progress.status() as on_start:
        results = list(examine(project, read_only=read_only, on_start=on_start))
    if as_json:
        print(report.as_json(results))
    else:
        report.show(results)
    raise typer.Exit(1 if report.failed(results) else 0)


@app.command(hidden=True, epilog="`make setup` calls it.")
def protect_cache() -> None:
    """Where DVC runs as root, have it make no links to its cache (.dvc/config.local)."""
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection import dvc_config as config

    config.protect_cache(Project.find())
