"""The two halves of `make update`; `bucket update` is DVC's word."""

import sys
from typing import Annotated

import typer


def merge_template(
    version: Annotated[str, typer.Option(help="Version (default: the newest).")] = "",
    source: Annotated[
        str, typer.Option("--from", help="URL or path of the template (default: the recorded one).")
    ] = "",
    data: Annotated[
        list[str] | None, typer.Option(help="Change an answer: NAME=VALUE; repeatable.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the difference and change nothing.")
    ] = False,
) -> None:
    """Merge a version of the template into the work tree.

    `make update` calls this command. Exit status: 0 merged, or nothing to merge; 1 conflicts, or
    refused.

    Examples:
      bucket merge-template --dry-run
      bucket merge-template --version 1.2.0
    """
    from dvc_bucket.base import progress
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.update import merge

    options = merge.UpdateOptions(version, source, data or ())
    with progress.status() as say, merge.merging(Project.find(), options, say) as (taken, merged):
        difference = merged.as_text() if merged and dry_run else ""
        if merged and not dry_run:
            merged.apply()
    if merged is None:
        print(f"The project is at version {taken} already.")
        return
    print(difference or f"Merged version {taken}.")
    if merged.conflicts:
        print(merged.advice, file=sys.stderr)
        raise typer.Exit(1)


def prove_update(
    tests: Annotated[str, typer.Option(help="Result of the tests: passed or failed.")],
) -> None:
    """Run the stages that an uncommitted template update changed, and summarise the results.

    `make updated` calls this command. Exit status: 0 no problem; 1 a test or a stage failed, or
    results differ; 3 the stages could not be run.

    Examples:
      bucket prove-update --tests passed
      make updated
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.update import proof

    raise typer.Exit(proof.prove(Project.find(), tests))
