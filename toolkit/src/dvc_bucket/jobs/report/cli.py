"""`bucket report`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dvc_bucket.base.paths import Project

BaseOption = Annotated[
    str | None,
    typer.Option("--base", help="Revision before the change (default: the default branch)."),
]
HeadOption = Annotated[str, typer.Option("--head", help="Revision after the change.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file instead of stdout.")
]
PlotsOption = Annotated[
    Path | None,
    typer.Option(
        "--plots",
        help="Folder for the page of `dvc plots diff`: new, or written by an earlier run.",
    ),
]
NoRemoteOption = Annotated[bool, typer.Option("--no-remote", help="Do not query the object store.")]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace an --output file that `bucket` did not write.")
]
ExperimentsOption = Annotated[
    bool,
    typer.Option("--experiments", help="Compare the experiments that begin with --head."),
]


def report(
    base: BaseOption = None,
    head: HeadOption = "HEAD",
    output: OutputOption = None,
    plots: PlotsOption = None,
    no_remote: NoRemoteOption = False,
    force: ForceOption = False,
    experiments: ExperimentsOption = False,
) -> None:
    """Report in Markdown how a change affects stages, metrics, plots and data.

    Use it in pull and merge requests. The report also names stale stages and data that is missing
    from the bucket. It compares commits and ignores the work tree. With --experiments, it compares
    the parameters and metrics of a commit's experiments instead, with a plot.

    Exit status: 0 written, 1 not written, 2 wrong usage.

    Examples:
      bucket report --base main
      bucket report --experiments --output experiments.md
    """
    from dvc_bucket.base.errors import RevisionError
    from dvc_bucket.base.paths import Project

    project = Project.find()
    if experiments and (base or plots):
        said = "compares the experiments of one commit; leave --base and --plots out"
        raise typer.BadParameter(said, param_hint="--experiments")
    try:
        if experiments:
            page = _of_experiments(project, head)
        else:
            page = _of_change(project, base, head, plots, use_remote=not no_remote)
    except RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="--base or --head") from None
    if output is None:
        sys.stdout.buffer.write(page)
    else:
        _write(page, output, project, force=force)


def _write(page: bytes, output: Path, project: "Project", *, force: bool) -> None:
    from dvc_bucket.dvc import written

    with written.new_file(output, project, force=force) as file:
        file.write(page)


def _of_change(
    project: "Project", base: str | None, head: str, plots: Path | None, *, use_remote: bool
) -> bytes:
    from dvc_bucket.jobs.report.comparison import compare
    from dvc_bucket.jobs.report.page import render

    changes = compare(project, base, head, use_remote=use_remote, plots_folder=plots)
    if changes.remote.note:
        print(f"Note: {changes.remote.note}", file=sys.stderr)
    return render(changes).encode()


def _of_experiments(project: "Project", head: str) -> bytes:
    from dvc_bucket.jobs.report.experiments import compare
    from dvc_bucket.jobs.report.page import render_experiments

    return render_experiments(compare(project, head)).encode()
