"""`bucket report`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

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


def report(
    base: BaseOption = None,
    head: HeadOption = "HEAD",
    output: OutputOption = None,
    plots: PlotsOption = None,
    no_remote: NoRemoteOption = False,
    force: ForceOption = False,
) -> None:
    """Report in Markdown how a change affects stages, metrics, plots and data.

    Use it in pull and merge requests. The report also names stale stages and data that is missing
    from the bucket. It compares commits and ignores the work tree.

    Exit status: 0 written, 1 not written, 2 wrong usage.

    Examples:
      bucket report --base main
      bucket report --base v1.0 --head v1.1 --output report.md --plots plots
    """
    from dvc_bucket.base.errors import RevisionError
    from dvc_bucket.base.paths import Project
    from dvc_bucket.dvc import written
    from dvc_bucket.jobs.report.comparison import compare
    from dvc_bucket.jobs.report.page import render

    project = Project.find()
    try:
        changes = compare(project, base, head, use_remote=not no_remote, plots_folder=plots)
    except RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="--base or --head") from None
    if changes.remote.note:
        print(f"Note: {changes.remote.note}", file=sys.stderr)
    page = render(changes).encode()
    if output is None:
        sys.stdout.buffer.write(page)
        return
    with written.new_file(output, project, force=force) as file:
        file.write(page)
