"""`bucket secrets`."""

from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption


def secrets(
    staged: Annotated[
        bool, typer.Option("--staged", help="Scan what the next commit adds, as the git hook does.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Scan every file of every commit.")
    ] = False,
    install_hook: Annotated[
        bool,
        typer.Option("--install-hook", help="Install a git hook that refuses secrets in commits."),
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
    project = Project.find()
    if install_hook:
        if installed := commit.HOOK.install(project):
            print(installed)
        return
    where: scan.Where = "staged" if staged else "history" if history else "tracked"
    outcome = scan.search(project, where)
    print(outcome.as_json() if as_json else outcome)
    raise typer.Exit(1 if outcome.findings else 0)
