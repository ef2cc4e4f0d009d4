"""Commands that prepare a machine, a project and its store."""

from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption
from dvc_bucket.base.paths import Project


def doctor(
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Do not write probe objects to the bucket.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Find problems with the connection, the credentials or this machine, and print each fix.

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

    `make setup` calls this command. It writes .dvc/config.local.

    Examples:
      bucket protect-cache
      make setup
    """
    from dvc_bucket.connection import cache_links

    cache_links.protect_cache(Project.find())


def run(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")
    ],
) -> None:
    """Run any program with this project's connection in its environment.

    The AWS SDK and s5cmd read it; rclone has it as the remote `storage:`, mc as the alias
    `storage`. The tools of .venv come first on the PATH. No secret appears on a command line.

    Examples:
      bucket run s5cmd ls s3://lab-data/
      bucket run rclone ls storage:lab-data/my-project
    """
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.jobs import run as runner

    if not command[0]:
        raise typer.BadParameter("the program has an empty name", param_hint="COMMAND")
    project = Project.find()
    runner.become(command, runner.environment(command[0], project, Settings.load(project)))


def clean() -> None:
    """Remove data from the work tree that the cache or the bucket can restore.

    Outputs of stages are removed if they match dvc.lock and exist in the cache or the bucket. Data
    of `dvc add` is removed if it exists in the bucket. Untracked data, the cache and the embedded
    store stay. The output lists the data that stays, and why.

    Examples:
      bucket clean
      make clean       # also removes the caches of tools, and .venv
    """
    from dvc_bucket.jobs import clean as cleaning

    print(cleaning.describe(cleaning.clean(Project.find())))


def leave() -> None:
    """Write instructions for using this project with plain DVC, without this toolkit.

    LEAVING.md covers the remote, the keys, the packages, the stages and files that use the toolkit,
    and the hooks in this clone. requirements-plain.lock lists the packages without the toolkit.
    No other file changes, and data stays where it is.

    Examples:
      bucket leave
      make leave
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.base.words import counted
    from dvc_bucket.jobs import leave as leaving

    project = Project.find()
    planned = leaving.plan(project)
    new = leaving.write(project, planned)
    print(f"Wrote {' and '.join(new)}." if new else f"{leaving.PAGE} is up to date.")
    print(f"Imports of the toolkit: in {counted(len(planned.stages), 'stage')}.")
