"""`bucket save`."""

from typing import Annotated

import typer


def save(
    message: Annotated[str, typer.Option("--message", "-m", help="Message of the commit.")],
) -> None:
    """Push the data, commit dvc.lock, .dvc files and reports, and push the commit.

    It refuses stale stages, unstaged inputs and secrets. Files that you staged are committed, too.
    The command stops at the first step that fails; run it again to continue.

    Examples:
      bucket save -m "Levels of 2024"
      git add src dvc.yaml params.yaml && bucket save -m "Smooth over five days"
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.jobs.save import steps

    if not message.strip():
        raise typer.BadParameter("a commit needs a message", param_hint="--message")
    project = Project.find()
    steps.save(project, lambda: Settings.load(project), message, print)
