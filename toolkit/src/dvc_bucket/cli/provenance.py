"""`bucket provenance`."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def provenance(
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder to write: new, or written by an earlier run."),
    ],
    rev: Annotated[str, typer.Argument(help="Branch, tag or commit.")] = "HEAD",
    as_zip: Annotated[
        bool, typer.Option("--zip", help="Write OUT.zip, the format that Zenodo accepts.")
    ] = False,
    data: Annotated[
        list[str] | None,
        typer.Option("--with", help="Include the data at or below this path."),
    ] = None,
    with_data: Annotated[
        bool, typer.Option("--with-data", help="Include all data that DVC tracks.")
    ] = False,
) -> None:
    """Describe the origin of a commit's results as a Workflow Run RO-Crate with an HTML page.

    The crate depends on git alone: the same commit gives the same bytes. Data that is not included
    is named by its hash and address.

    Examples:
      bucket provenance --out crate
      bucket provenance v1.0 --out crate --zip --with reports
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.provenance import write
    from dvc_bucket.read import tracked

    paths = [""] if with_data else [tracked.from_here(path) for path in data or ()]
    written = write(Project.find(), rev, out, as_zip=as_zip, data=paths)
    for note in written.notes:
        print(f"Note: {note}", file=sys.stderr)
    print(f"{written.stages} stages of the commit {written.commit[:12]}.", file=sys.stderr)
    print(written.place)
