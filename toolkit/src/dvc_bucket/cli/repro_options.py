"""The options of `bucket repro`, `bucket reproduce` and `bucket exp run` that are not DVC's."""

import argparse
import shlex
from collections.abc import Sequence

import typer

from dvc_bucket.base.paths import Project
from dvc_bucket.stages.commands import Where


def read(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options, and the words for DVC.

    Raises:
        BadParameter: a value is not of its kind, or is of no use without another option.
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
        raise typer.BadParameter("is an option of jobs. Add --slurm.", param_hint="--partition")
    return options, words


def where(options: argparse.Namespace, project: Project | None) -> Where:
    """Where a person has the commands of stages run.

    Raises:
        BadParameter: the options of sbatch cannot be taken apart.
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
    """The words with which DVC queues experiments, and how many are run at once.

    Args:
        arguments: the words after `bucket exp run`.
        project: for the default number.

    Returns:
        None if it is DVC's own command; in the place of the words, if nothing is to be queued.

    Raises:
        BadParameter: a number that is none.
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
    """Refuse a number of jobs that is none.

    Raises:
        BadParameter: it is.
    """
    if jobs is not None and not (jobs.isascii() and jobs.isdigit() and int(jobs)):
        raise typer.BadParameter(
            f"{jobs!r}. Write a number of {noun}, from 1.", param_hint="--jobs"
        )
