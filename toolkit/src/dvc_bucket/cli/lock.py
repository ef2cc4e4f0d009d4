"""`bucket lock-merge`, which git calls for `dvc.lock`: see `.gitattributes`."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def lock_merge(
    files: Annotated[
        list[str] | None, typer.Argument(help="Ancestor, ours, theirs; the path in the repository.")
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Have git call this command.")] = False,
) -> None:
    """Merge two branches' dvc.lock stage by stage.

    Examples:
      bucket lock-merge --install
      bucket lock-merge base.lock ours.lock theirs.lock dvc.lock
    """
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
