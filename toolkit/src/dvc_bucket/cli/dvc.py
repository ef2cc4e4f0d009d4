"""DVC's words, and `dvc repro` followed by `dvc push`."""

import argparse
from collections.abc import Sequence
from typing import Annotated

import typer

from dvc_bucket.base.paths import Project

#: What `bucket repro` adds to DVC's command, printed before DVC's own help.
REPRO_HELP = """\
bucket repro is `dvc repro` with this project's connection, and two options more:
  -j N, --jobs N        Run up to N independent stages at the same time (default: `jobs` of
                        [tool.dvc-bucket] in pyproject.toml, or 1). dvc.lock is the same.
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
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc import command
    from dvc_bucket.jobs import reproduce as job
    from dvc_bucket.stages import commands

    if command.HELP.intersection(context.args):
        print(REPRO_HELP, flush=True)
        command.become(["repro", *context.args])
    options, words = _own_options(context.args)
    jobs = options.jobs or job.wanted_jobs(Project.around())
    if options.locked:
        project = Project.find()
        raise typer.Exit(job.repro_locked(project, Settings.load(project), words, jobs))
    commands.use(jobs)
    command.become(["repro", *words])


def reproduce(
    context: typer.Context,
    locked: Annotated[
        bool, typer.Option("--locked", help="Push nothing if dvc.lock changes; exit with 1.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Stages at the same time.")
    ] = None,
) -> None:
    """Run `dvc repro` with its options, for every dvc.yaml, then `dvc push`.

    Examples:
      bucket reproduce --pull
      bucket reproduce --locked
    """
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.jobs import reproduce as job

    project = Project.find()
    jobs = jobs or job.wanted_jobs(project)
    job.reproduce(project, Settings.load(project), context.args, locked=locked, jobs=jobs)


def _own_options(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options of `bucket repro` that are not DVC's, and the words for DVC.

    Raises:
        BadParameter: the number of jobs is none.
    """
    parser = argparse.ArgumentParser("bucket repro", add_help=False, allow_abbrev=False)
    parser.add_argument("-j", "--jobs")
    parser.add_argument("--locked", action="store_true")
    options, words = parser.parse_known_args(arguments)
    if options.jobs is not None:
        if not (options.jobs.isascii() and options.jobs.isdigit() and int(options.jobs)):
            raise typer.BadParameter(
                f"{options.jobs!r}. Write a number of stages, from 1.", param_hint="--jobs"
            )
        options.jobs = int(options.jobs)
    return options, words
