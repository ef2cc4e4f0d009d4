"""DVC's words, and `dvc repro` followed by `dvc push`."""

from typing import Annotated

import typer

#: What `bucket repro` adds to DVC's command, printed before DVC's own help.
REPRO_HELP = """\
bucket repro is `dvc repro` with this project's connection, and one option more:
  --locked              Exit with 1 if dvc.lock does not come out as recorded.
After a run it removes from dvc.lock the stages that dvc.yaml no longer has, and names them.
"""


def dvc(context: typer.Context) -> None:
    """Run a DVC command with this project's connection: the same as `bucket COMMAND`.

    Use it for DVC's own command where `bucket` has one of the same name.

    Examples:
      bucket dvc ls . --dvc-only
      bucket dvc init
    """
    from dvc_bucket.dvc import command

    command.become(context.args)


def repro(context: typer.Context) -> None:
    """Run the stages whose inputs changed (`dvc repro`; `--locked` fails if results change).

    Examples:
      bucket repro
      bucket repro --locked train
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc import command
    from dvc_bucket.jobs import reproduce as job

    if command.HELP.intersection(context.args):
        print(REPRO_HELP, flush=True)
    elif job.LOCKED in context.args:
        project = Project.find()
        raise typer.Exit(job.repro_locked(project, Settings.load(project), context.args))
    command.become(["repro", *context.args])


def reproduce(
    context: typer.Context,
    locked: Annotated[
        bool, typer.Option("--locked", help="Push nothing if dvc.lock changes; exit with 1.")
    ] = False,
) -> None:
    """Run `dvc repro` with its options, for every dvc.yaml, then `dvc push`.

    Examples:
      bucket reproduce --pull
      bucket reproduce --locked
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.jobs import reproduce as job

    project = Project.find()
    job.reproduce(project, Settings.load(project), context.args, locked=locked)
