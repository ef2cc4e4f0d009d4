"""`bucket check`."""

from pathlib import Path
from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption

RevArgument = Annotated[str, typer.Argument(help="Branch, tag or commit.")]
StagesOption = Annotated[
    list[str] | None,
    typer.Option("--stages", help="Run only these stages, separated by commas; pull other inputs."),
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
    bool, typer.Option("--here", help="Use the installed packages instead of new ones.")
]
CausesOption = Annotated[
    bool, typer.Option(help="Run stages whose outputs differ again to find the cause.")
]
KeepOption = Annotated[
    bool, typer.Option("--keep", help="Keep the folder of the clone and print it.")
]


def check(
    rev: RevArgument = "HEAD",
    stages: StagesOption = None,
    times: TimesOption = 1,
    kernels: KernelsOption = False,
    tolerance: ToleranceOption = None,
    here: HereOption = False,
    causes: CausesOption = True,
    keep: KeepOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rebuild a commit from its inputs in a clean clone and compare every output with dvc.lock.

    It also finds dependencies that changed during the run, outputs that their stage did not write,
    and files and connections that stages do not declare.

    Exit status: 0 reproduced, 1 not reproduced, 2 wrong usage, 3 this machine cannot tell.

    Examples:
      bucket check v1.0 --times 2
      bucket check --here --stages train --kernels
    """
    from dvc_bucket.base import failures, progress
    from dvc_bucket.base.errors import (
        NotCheckedError,
        RevisionError,
        ServerError,
        SettingsError,
        StageNameError,
        TransferError,
    )
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.check import rebuild, report

    names = [name for words in stages or () for name in words.split(",") if name]
    options = rebuild.CheckOptions(rev, names, times, tolerance, kernels, here, causes, keep)
    try:
        with progress.status() as say:
            result = rebuild.check(Project.find(), options, say)
    except RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="REV") from None
    except StageNameError as error:
        raise typer.BadParameter(str(error), param_hint="--stages") from None
    except (SettingsError, ServerError, TransferError) as error:
        raise NotCheckedError(str(error)) from None
    except OSError as error:
        said = failures.of_machine(error) or f"{error}. Mend it and run this again."
        raise NotCheckedError(said) from None
    print(report.as_json(result)) if as_json else report.show(result)
    raise typer.Exit(result.status)
