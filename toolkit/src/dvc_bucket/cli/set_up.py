"""Words that prepare a machine, a project and its store."""

from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption
from dvc_bucket.base.paths import Project


def init(
    name: Annotated[str | None, typer.Option(help="Name of the project.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="URL of the S3 API, or: aws.")] = None,
    region: Annotated[str | None, typer.Option(help="Region for signing requests.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Name of the bucket.")] = None,
    prefix: Annotated[
        str | None, typer.Option(help="Key prefix in the bucket (default: project name).")
    ] = None,
    cacert: Annotated[
        str | None, typer.Option(help="PEM file of a private certificate authority.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Write without asking; keep what is not given.")
    ] = False,
    no_doctor: Annotated[
        bool, typer.Option("--no-doctor", help="Do not run `bucket doctor` at the end.")
    ] = False,
) -> None:
    """Point the project at a bucket: write every file that names it, and .env with your keys.

    It asks for the keys without showing them, or takes them from OS_ACCESS_KEY_ID and
    OS_SECRET_ACCESS_KEY in the environment; never from the command line.

    Examples:
      bucket init
      bucket init --endpoint https://s3.example.org --bucket lab-data --prefix my-project --yes
    """
    from dvc_bucket.connection.named_files import Names
    from dvc_bucket.jobs import init as dialogue

    given = Names(project=name, endpoint=endpoint, region=region, bucket=bucket, prefix=prefix)
    dialogue.run(Project.find(), given, cacert=cacert, yes=yes)
    if not no_doctor:
        doctor()


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
    from dvc_bucket.store import text as server_text
    from dvc_bucket.store.server import Server

    server = Server(Project.find())
    if (status and stop) or (as_json and not status):
        raise typer.BadParameter("--status and --stop exclude each other; --json needs --status")
    if status:
        state = server.status()
        print(state.as_json() if as_json else server_text.status(state))
        raise typer.Exit(0 if state.state == "running" else 1)
    if stop:
        print(server_text.stopped(ran=server.stop()))
    elif server.is_wanted or not if_embedded:
        print(server_text.started(server.start()))


def doctor(
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Do not write probe objects to the bucket.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find faults in the connection, the credentials or this machine, and print the fix for each.

    Examples:
      bucket doctor
      bucket doctor --json | jq .ok
    """
    from dvc_bucket.base import progress
    from dvc_bucket.jobs.doctor import examine, report

    project = Project.find()
    with progress.status() as on_start:
        results = list(examine(project, read_only=read_only, on_start=on_start))
    if as_json:
        print(report.as_json(results))
    else:
        report.show(results)
    raise typer.Exit(1 if report.failed(results) else 0)


def protect_cache() -> None:
    """Make DVC copy files from its cache instead of linking, if it runs as root.

    `make setup` calls it. It writes .dvc/config.local.

    Examples:
      bucket protect-cache
      make setup
    """
    from dvc_bucket.connection import dvc_config as config

    config.protect_cache(Project.find())


def run(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")
    ],
) -> None:
    """Run any program with this project's connection in its environment.

    The AWS SDK, s5cmd, rclone (as the remote `storage:`) and mc (as the alias `storage`) find it.
    The tools of .venv come first on the PATH. No secret is on a command line.

    Examples:
      bucket run s5cmd ls s3://lab-data/
      bucket run rclone ls storage:lab-data/my-project
    """
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.jobs import run as runner

    project = Project.find()
    runner.become(command, runner.environment(command[0], project, Settings.load(project)))


def clean() -> None:
    """Remove data from the work tree that the cache or the bucket can restore.

    Outputs of stages are removed if they match dvc.lock and the cache or the bucket has them. Data
    of `dvc add` is removed if the bucket has it. Data that DVC does not track, the cache and the
    embedded store stay. The output lists what stays and why.

    Examples:
      bucket clean
      make clean       # also removes the caches of tools, and .venv
    """
    from dvc_bucket.jobs import clean as cleaning

    print(cleaning.describe(cleaning.clean(Project.find())))
