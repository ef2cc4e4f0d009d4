"""Words about where results come from."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dvc_bucket.cli.app import app


@app.command(
    epilog="Example: `bucket provenance --out crate`; `bucket provenance v1.0 --out crate --zip "
    "--with reports`."
)
def provenance(
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write: new, or written before.")
    ],
    rev: Annotated[str, typer.Argument(help="Branch, tag or commit.")] = "HEAD",
    as_zip: Annotated[
        bool, typer.Option("--zip", help="Write OUT.zip instead, as Zenodo and its like take.")
    ] = False,
    data: Annotated[
        list[str] | None,
        typer.Option("--with", help="Include what DVC tracks at or below a path."),
    ] = None,
    with_data: Annotated[
        bool, typer.Option("--with-data", help="Include all that DVC tracks.")
    ] = False,
) -> None:
    """Describe how a commit's results came about, as a Workflow Run RO-Crate with a page to read.

    It is made from git alone, and the same bytes for the same commit. Data of DVC is named by its
    hash and place unless it is to be included.
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.provenance import write
    from dvc_bucket.read import words as reading

    paths = [""] if with_data else [reading.from_here(path) for path in data or ()]
    written = write(Project.find(), rev, out, as_zip=as_zip, data=paths)
    for note in written.notes:
        print(f"Note: {note}", file=sys.stderr)
    print(f"{written.stages} stages of the commit {written.commit[:12]}.", file=sys.stderr)
    print(written.place)


@app.command(
    epilog="Example: `bucket report --base main`; `bucket report --base v1.0 --head v1.1 --output "
    "report.md --plots plots`. Exit status: 0 written, 1 not, 2 usage."
)
def report(
    base: Annotated[
        str | None, typer.Option("--base", help="Before the change; else the default branch.")
    ] = None,
    head: Annotated[str, typer.Option("--head", help="After it.")] = "HEAD",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Else printed.")] = None,
    plots: Annotated[
        Path | None,
        typer.Option(
            "--plots", help="A folder for the page of `dvc plots diff`: new, or written before."
        ),
    ] = None,
    no_remote: Annotated[
        bool, typer.Option("--no-remote", help="Without the object store, as for a fork.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an --output that `bucket` did not write.")
    ] = False,
) -> None:
    """Say in Markdown what a change did: stages that ran and why, metrics, plots, data.

    For a pull or merge request. Also whether stages should have run and did not, and whether the
    data is on the remote. What is in the work tree plays no part.
    """
    from dvc_bucket.base.errors import RevisionError
    from dvc_bucket.base.paths import Project
    from dvc_bucket.dvc import written
    from dvc_bucket.jobs import report as changes

    project = Project.find()
    question = changes.Question(base, head, use_remote=not no_remote, plots=plots)
    try:
        found = changes.compare(project, question)
    except RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="--base or --head") from None
    for note in found.notes:
        print(f"Note: {note}", file=sys.stderr)
    if output is None:
        sys.stdout.buffer.write(changes.text(found).encode())
        return
    with written.new_file(output, project, force=force) as file:
        file.write(changes.text(found).encode())


@app.command(hidden=True, epilog="git calls it for dvc.lock: see `.gitattributes`.")
def lock_merge(
    files: Annotated[
        list[str] | None, typer.Argument(help="Ancestor, ours, theirs; the path in the repository.")
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Have git call it.")] = False,
) -> None:
    """Merge two branches' dvc.lock stage by stage."""
    from dvc_bucket.base.paths import Project
    from dvc_bucket.dvc.lock import driver

    if install:
        if installed := driver.install(Project.find()):
            print(installed)
        return
    if not files or len(files) != 4:
        raise typer.BadParameter("git gives four files: ancestor, ours, theirs, path")
    base, ours, theirs = map(Path, files[:3])
    merged = driver.merge_files(base, ours, theirs, files[3])
    if line := driver.to_run_again(merged, files[3]):
        print(line, file=sys.stderr)
