"""DVC's words, and `dvc repro` followed by `dvc push`."""

from typing import Annotated

import typer

from dvc_bucket.base.paths import Project

#: What `bucket repro` adds to DVC's command, printed before DVC's own help.
REPRO_HELP = """\
bucket repro runs `dvc repro` with this project's connection, and adds these options:
  -j N, --jobs N        Run up to N independent stages at the same time (default: `jobs` of
                        [tool.dvc-bucket] in pyproject.toml, or 1). dvc.lock is the same.
  --slurm               Run each stage as a Slurm job and show its output (up to 100 at once).
                        Stages with the same `meta: {group: NAME}` share a job.
  --partition NAME      With --slurm: the partition of the jobs.
  --sbatch OPTIONS      With --slurm: further options of sbatch: --sbatch="--time=2:00:00".
  --locked              Exit with 1 if the run changes dvc.lock.
After a run it removes from dvc.lock the stages that dvc.yaml no longer has, and names them.

Examples:
  bucket repro --jobs 4
  bucket repro --locked train

The options of `dvc repro`:
"""

#: The same for `bucket exp run`.
EXPERIMENTS_HELP = """\
bucket exp run runs `dvc exp run` with this project's connection, and adds these options:
  --queue --jobs N      Queue the experiments, then run the whole queue, N at a time, and show the
                        output. Without --jobs they are only queued.
  --run-all             Run the whole queue and show the output (default of --jobs: `jobs` of
                        [tool.dvc-bucket] in pyproject.toml, or 1).
Ctrl-C ends the running experiments, which stay in the queue for the next --run-all. Exits with 1 if
an experiment fails. `bucket dvc exp run` is DVC's own command, with workers in the background.

Examples:
  bucket exp run -S 'train.seed=range(10)' --queue --jobs 4
  bucket exp run --run-all

The options of `dvc exp run`:
"""


def dvc(context: typer.Context) -> None:
    """Run a DVC command with this project's connection.

    `bucket COMMAND` does the same. Use `bucket dvc COMMAND` if `bucket` has a command of that name.

    Examples:
      bucket dvc ls . --dvc-only
      bucket dvc init
    """
    from dvc_bucket.dvc import command

    command.become(context.args)


def repro(context: typer.Context) -> None:
    """Run the stages whose inputs changed (`dvc repro`), several at a time with `--jobs`.

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


def exp(context: typer.Context) -> None:
    """Run and compare experiments (`dvc exp`), several at a time with `--jobs`.

    Examples:
      bucket exp run -S 'train.seed=range(10)' --queue --jobs 4
      bucket exp run --run-all
    """
    from dvc_bucket.cli import repro_options
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc import command

    words = context.args
    if words[:1] != ["run"]:
        command.become(["exp", *words])
    if command.HELP.intersection(words):
        print(EXPERIMENTS_HELP, flush=True)
        command.become(["exp", *words])
    wanted = repro_options.of_experiments(words[1:], Project.around())
    if wanted is None:
        command.become(["exp", *words])
    from dvc_bucket.jobs import experiments as job

    project = Project.find()
    raise typer.Exit(job.run(project, Settings.load(project), *wanted))


def reproduce(
    context: typer.Context,
    locked: Annotated[
        bool, typer.Option("--locked", help="Push nothing if dvc.lock changes; exit with 1.")
    ] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="Start the embedded store first, if it is in use.")
    ] = False,
    before: Annotated[
        str, typer.Option(help="Run this command first, unless everything is up to date.")
    ] = "",
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
    if serve:
        from dvc_bucket.cli.serve import serve_if_embedded

        serve_if_embedded(project)
    settings = Settings.load(project)
    job.reproduce(project, settings, words, locked=locked, where=where, before=before)
