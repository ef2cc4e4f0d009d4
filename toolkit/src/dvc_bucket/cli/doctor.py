"""`bucket doctor`, and what set-up asks of a machine."""

from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption


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


def protect_cache() -> None:
    """Make DVC copy files from its cache instead of linking, if it runs as root.

    `make setup` calls it. It writes .dvc/config.local.

    Examples:
      bucket protect-cache
      make setup
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection import dvc_config as config

    config.protect_cache(Project.find())
