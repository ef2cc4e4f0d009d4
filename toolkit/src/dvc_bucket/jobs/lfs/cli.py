"""`bucket lfs`: the objects of Git LFS in the same bucket."""

from pathlib import Path
from typing import Annotated

import typer

from dvc_bucket.base.command_word import Group, add
from dvc_bucket.base.options import RemoteOption

app = typer.Typer(
    name="lfs",
    cls=Group,
    help="Store the objects of Git LFS in the same bucket.",
    epilog="\b\nExamples:\n  bucket lfs setup\n  bucket lfs prune --dry-run",
    no_args_is_help=True,
)


def setup(
    remote: Annotated[
        str | None,
        typer.Option("--remote", "-r", help="Git remote (default: origin, or the only one)."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Remove the configuration.")] = False,
) -> None:
    """Configure git-lfs in this clone to store its objects in the bucket.

    Examples:
      bucket lfs setup
      bucket lfs setup --remote upstream
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs.lfs import setup as configuration

    if undo and remote:
        raise typer.BadParameter("--undo applies to all remotes; leave --remote out")
    project = Project.find()
    sentences = configuration.undo(project) if undo else configuration.setup(project, remote)
    print("\n".join(sentences))


def prune(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the copies; remove none.")
    ] = False,
    remote: RemoteOption = None,
) -> None:
    """Remove local copies of objects that are in the bucket and not checked out.

    Each object in the bucket is verified first, by its ETag or its content. Use this command
    instead of `git lfs prune`, which cannot check the bucket.

    Examples:
      bucket lfs prune --dry-run
      bucket lfs prune
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.jobs.lfs import prune as pruning

    project = Project.find()
    print(pruning.prune(project, Settings.load(project), remote, is_dry=dry_run))


def agent(
    storage: Annotated[
        Path | None, typer.Argument(help="Folder of git-lfs (default: the one of this clone).")
    ] = None,
) -> None:
    """Transfer objects for git-lfs; git-lfs starts this command.

    Examples:
      bucket lfs setup     # makes git-lfs start it
      git lfs pull         # starts it
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.git import lfs_layout as layout
    from dvc_bucket.git.contents import Repository
    from dvc_bucket.jobs.lfs import agent

    agent.main(storage or layout.storage(Repository.of(Project.find())))


for word in (setup, prune, agent):
    add(app, word, "Commands")
