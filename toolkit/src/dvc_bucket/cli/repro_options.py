"""The options that `bucket repro`, `bucket reproduce` and `bucket exp run` add to DVC's."""

import argparse
import shlex
from collections.abc import Sequence

import typer

from dvc_bucket.base.paths import Project
from dvc_bucket.stages.commands import Where


def read(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options, and the arguments for DVC.

    Raises:
        BadParameter: a value is invalid, or its option needs another one.
    """
    parser = argparse.ArgumentParser("bucket repro", add_help=False, allow_abbrev=False)
    parser.add_argument("-j", "--jobs")
    parser.add_argument("--locked", action="store_true")
    parser.add_argument("--slurm", action="store_true")
    parser.add_argument("--partition")
    parser.add_argument("--sbatch")
    try:
        parser.exit_on_error = False
        options, words = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise typer.BadParameter(f"{error.message}.", param_hint=error.argument_name) from None
    _check(options.jobs, "stages")
    if not options.slurm and (options.partition or options.sbatch):
        raise typer.BadParameter("applies to Slurm jobs. Add --slurm.", param_hint="--partition")
    return options, words


def where(options: argparse.Namespace, project: Project | None) -> Where:
    """Where the commands of stages run.

    Raises:
        BadParameter: --sbatch cannot be split into options.
        ProjectError: the settings of the project cannot be read.
    """
    from dvc_bucket.jobs import reproduce as job

    if not options.slurm:
        return Where(int(options.jobs or job.wanted_jobs(project)))
    try:
        more = shlex.split(options.sbatch or "")
    except ValueError as error:
        raise typer.BadParameter(f"{options.sbatch!r}: {error}.", param_hint="--sbatch") from None
    partition = [f"--partition={options.partition}"] if options.partition else []
    return Where(int(options.jobs or 0), [*partition, *more])


def of_experiments(
    arguments: Sequence[str], project: Project | None
) -> tuple[list[str] | None, int] | None:
    """DVC's arguments to queue experiments, and the number of experiments to run at once.

    Args:
        arguments: those after `bucket exp run`.
        project: for the default number.

    Returns:
        None for DVC's own command; None instead of the arguments if there is nothing to queue.

    Raises:
        BadParameter: --jobs is not a positive number.
        ProjectError: the settings of the project cannot be read.
    """
    from dvc_bucket.jobs import reproduce as job

    parser = argparse.ArgumentParser("bucket exp run", add_help=False, allow_abbrev=False)
    parser.exit_on_error = False
    parser.add_argument("-j", "--jobs")
    parser.add_argument("--queue", action="store_true")
    parser.add_argument("--run-all", action="store_true")
    try:
        options, words = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise typer.BadParameter(f"{error.message}.", param_hint=error.argument_name) from None
    if not options.run_all and not (options.queue and options.jobs):
        return None
    _check(options.jobs, "experiments")
    jobs = int(options.jobs or job.wanted_jobs(project))
    return ["exp", "run", "--queue", *words] if options.queue else None, jobs


def _check(jobs: str | None, noun: str) -> None:
    """Check the number of jobs.

    Raises:
        BadParameter: it is not a positive number.
    """
    if jobs is not None and not (jobs.isascii() and jobs.isdigit() and int(jobs)):
        raise typer.BadParameter(
            f"{jobs!r} is not a positive number of {noun}.", param_hint="--jobs"
        )
