"""`bucket check`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption

RevArgument = Annotated[str, typer.Argument(help="Branch, tag or commit.")]
StagesOption = Annotated[
    list[str] | None,
    typer.Option("--stages", help="Run only these stages, separated by commas; pull their inputs."),
]
TimesOption = Annotated[
    int, typer.Option(min=1, help="Number of fresh runs to compare, each in a varied environment.")
]
KernelsOption = Annotated[
    bool, typer.Option("--kernels", help="Run again with the numeric kernels of three CPUs.")
]
ToleranceOption = Annotated[
    Path | None, typer.Option(help="YAML file with tolerances for numbers.")
]
HereOption = Annotated[
    bool, typer.Option("--here", help="Use the installed packages instead of a new environment.")
]
CausesOption = Annotated[
    bool, typer.Option(help="Find the cause of a difference by running the stage again.")
]
VaryOption = Annotated[
    str | None,
    typer.Option(help="Conditions to vary in further runs, separated by commas."),
]
SinceOption = Annotated[
    str | None,
    typer.Option(metavar="COMMIT", help="Run only stages affected by changes since this commit."),
]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Number of stages to run at once.", metavar="N"),
]
KeepOption = Annotated[bool, typer.Option("--keep", help="Keep the clone and print its folder.")]


def check(
    rev: RevArgument = "HEAD",
    stages: StagesOption = None,
    times: TimesOption = 1,
    kernels: KernelsOption = False,
    tolerance: ToleranceOption = None,
    here: HereOption = False,
    causes: CausesOption = True,
    vary: VaryOption = None,
    since: SinceOption = None,
    jobs: JobsOption = None,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rebuild a commit from its inputs in a clean clone and compare every output with dvc.lock.

    It also finds dependencies that changed during the run, outputs that their stage did not write,
    and undeclared files and connections.

    Exit status: 0 reproduced, 1 not reproduced, 2 wrong usage, 3 not checked.

    Examples:
      bucket check v1.0 --times 2
      bucket check --here --stages train --kernels
      bucket check --since origin/main --vary seed,clock
    """
    from dvc_bucket.base import progress
    from dvc_bucket.base.console import Console
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.check import rebuild, report

    names = [name for words in stages or () for name in words.split(",") if name]
    varied, times = _conditions(vary), max(times, 2) if vary else times
    options = rebuild.CheckOptions(
        rev, names, times, tolerance, kernels, here, causes, keep, varied, since, jobs
    )
    with _errors_named(), progress.status() as say:
        result = rebuild.check(Project.find(), options, say, say if as_json else Console().say)
    print(report.as_json(result)) if as_json else report.show(result)
    raise typer.Exit(result.status)


def _conditions(vary: str | None) -> Sequence[str]:
    """The conditions that further runs vary."""
    from dvc_bucket.jobs.check import variations

    varied = variations.USUAL if vary is None else tuple(filter(None, vary.split(",")))
    if unknown := set(varied).difference(variations.CONDITIONS):
        choices = ", ".join(variations.CONDITIONS)
        said = f"Unknown condition {', '.join(sorted(unknown))}; choose from {choices}."
        raise typer.BadParameter(said, param_hint="--vary")
    return varied


@contextmanager
def _errors_named() -> Iterator[None]:
    """Name the option that is wrong; the other errors of the block say that nothing was checked."""
    from dvc_bucket.base import failures
    from dvc_bucket.base.errors import (
        NotCheckedError,
        RevisionError,
        ServerError,
        SettingsError,
        StageNameError,
        TransferError,
    )

    try:
        yield
    except RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="REV or --since") from None
    except StageNameError as error:
        raise typer.BadParameter(str(error), param_hint="--stages") from None
    except (SettingsError, ServerError, TransferError) as error:
        raise NotCheckedError(str(error)) from None
    except OSError as error:
        said = failures.of_machine(error) or f"{error}. Fix this and run the command again."
        raise NotCheckedError(said) from None
