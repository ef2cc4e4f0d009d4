"""DVC's words, and `dvc repro` followed by `dvc push`."""

from typing import Annotated

import typer

from dvc_bucket.base.paths import Project

#: What `bucket repro` adds to DVC's command, printed before DVC's own help.
REPRO_HELP = """\
bucket repro is `dvc repro` with this project's connection, and more options:
  -j N, --jobs N        Run up to N independent stages at the same time (default: `jobs` of
                        [tool.dvc-bucket] in pyproject.toml, or 1). dvc.lock is the same.
  --slurm               Run each stage as a job of Slurm, and follow it here (up to 100 at once).
                        Stages with the same `meta: {group: NAME}` share a job.
  --partition NAME      With --slurm: the partition of the jobs.
  --sbatch OPTIONS      With --slurm: more options of sbatch, as in --sbatch="--time=2:00:00".
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
    """Run the stages whose inputs changed (`dvc repro`; `--jobs 4` runs four at a time).

    Examples:
      bucket repro --jobs 4
      bucket repro --locked train
    """
    from dvc_bucket.cli import repro_options
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc import command
    from dvc_bucket.jobs import reproduce as job
    from dvc_bucket.stages import commands

    if command.HELP.intersection(context.args):
        print(REPRO_HELP, flush=True)
        command.become(["repro", *context.args])
    options, words = repro_options.read(context.args)
    where = repro_options.where(options, Project.around())
    if options.locked:
        project = Project.find()
        raise typer.Exit(job.repro_locked(project, Settings.load(project), words, where))
    commands.use(where)
    command.become(["repro", *words])


def reproduce(
    context: typer.Context,
    locked: Annotated[
        bool, typer.Option("--locked", help="Push nothing if dvc.lock changes; exit with 1.")
    ] = False,
) -> None:
    """Run `bucket repro` with its options, for every dvc.yaml, then `dvc push`.

    Examples:
      bucket reproduce --pull
      bucket reproduce --locked --jobs 4
    """
    from dvc_bucket.cli import repro_options
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.jobs import reproduce as job

    project = Project.find()
    options, words = repro_options.read(context.args)
    where = repro_options.where(options, project)
    job.reproduce(project, Settings.load(project), words, locked=locked, where=where)
