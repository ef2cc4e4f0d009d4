"""Words for groups that keep Git LFS: its objects on the same bucket."""

from pathlib import Path
from typing import Annotated

import typer

from bucket.cli.app import RemoteOption, app

lfs = typer.Typer(
    name="lfs", help="Git LFS on the same bucket (docs/git-lfs.md).", no_args_is_help=True
)
app.add_typer(lfs)


@lfs.command(epilog="Example: `bucket lfs setup`, then `git lfs pull`, `git push`.")
def setup(
    remote: Annotated[
        str | None, typer.Option("--remote", "-r", help="Of git; origin, or the only one.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
) -> None:
    """Have git-lfs of this clone move the objects of a git remote to and from the bucket."""
    from bucket.lfs import setup as configuration
    from bucket.paths import Project

    if undo and remote:
        raise typer.BadParameter("--undo is for all remotes")
    project = Project.find()
    said = configuration.undo(project) if undo else configuration.setup(project, remote)
    print("\n".join(said))


@lfs.command(epilog="Example: `bucket lfs prune --dry-run`; `bucket lfs prune`.")
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing.")] = False,
    remote: RemoteOption = None,
) -> None:
    """Remove local copies of objects that are not checked out and that the bucket has.

    Each object in the bucket is proven first, by its ETag or by its content. Use this instead of
    `git lfs prune`, which cannot ask the bucket.
    """
    from bucket.lfs import prune as pruning
    from bucket.paths import Project
    from bucket.settings import Settings

    project = Project.find()
    print(pruning.prune(project, Settings.load(project), remote, is_dry=dry_run))


@lfs.command(epilog="git-lfs starts it, once `bucket lfs setup` has told it to.")
def agent(
    storage: Annotated[
        Path | None, typer.Argument(help="git-lfs's folder; else that of this clone.")
    ] = None,
) -> None:
    """Move objects for git-lfs, which says which on standard input: a custom transfer agent."""
    from bucket.git_contents import Repository
    from bucket.lfs import agent, layout
    from bucket.paths import Project

    agent.main(storage or layout.storage(Repository.of(Project.find())))
