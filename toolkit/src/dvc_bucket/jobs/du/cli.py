"""`bucket du`."""

from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption, RemoteOption

RevsOption = Annotated[
    list[str] | None,
    typer.Option("--rev", help="Branch, tag or commit; repeatable."),
]
CommitsOption = Annotated[
    bool,
    typer.Option("--all-commits", "-A", help="All commits; also show how much `gc` could free."),
]
PriceOption = Annotated[
    float | None,
    typer.Option("--price", min=0, help="Price per GB (10^9 bytes) and month, to show the cost."),
]


def du(
    rev: RevsOption = None,
    all_commits: CommitsOption = False,
    price: PriceOption = None,
    remote: RemoteOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how much data the bucket holds, by dataset and revision, shared and unique.

    Without --rev or -A, it counts the data of the work tree. An object that several datasets or
    revisions share counts once in the total. DVC's own command is `bucket dvc du`.

    Examples:
      bucket du --rev v1.0 --rev main
      bucket du -A --price 0.02
    """
    if rev and all_commits:
        raise typer.BadParameter("use --rev or -A, not both", param_hint="--rev")
    from dvc_bucket.base.errors import RevisionError
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc.audit.usage import usage
    from dvc_bucket.dvc.remote import Remote
    from dvc_bucket.jobs.du import report

    project = Project.find()
    there = Remote.of(project, Settings.load(project), remote)
    try:
        taken = usage(project, there, rev or (), everything=all_commits)
    except RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="--rev") from None
    if as_json:
        print(report.as_json(taken, price))
    else:
        report.show(taken, price)
