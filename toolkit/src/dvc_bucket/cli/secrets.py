"""`bucket secrets`."""

from pathlib import Path
from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption


def secrets(
    staged: Annotated[
        bool, typer.Option("--staged", help="Scan what the next commit adds, as the git hook does.")
    ] = False,
    message: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --staged: scan this commit message, too."),
    ] = None,
    history: Annotated[
        bool,
        typer.Option("--history", help="Scan every file and message of every commit, and tags."),
    ] = False,
    install_hook: Annotated[
        bool,
        typer.Option("--install-hook", help="Install git hooks that refuse secrets in commits."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Scan tracked files for credentials. Exits 1 if any are found.

    Nothing is sent over the network.

    Examples:
      bucket secrets
      bucket secrets --history
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.git.hooks import commit
    from dvc_bucket.git.secrets import scan

    if staged + history + install_hook > 1 or (install_hook and as_json):
        raise typer.BadParameter("--staged, --history and --install-hook exclude each other")
    if message and not staged:
        raise typer.BadParameter("--message needs --staged")
    project = Project.find()
    if install_hook:
        for sentence in commit.install(project):
            print(sentence)
        return
    if staged:
        outcome = scan.staged(project, message)
    else:
        outcome = scan.history(project) if history else scan.tracked(project)
    print(outcome.as_json() if as_json else outcome)
    raise typer.Exit(1 if outcome.findings else 0)
