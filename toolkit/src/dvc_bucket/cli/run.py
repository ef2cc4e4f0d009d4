"""`bucket run`."""

from typing import Annotated

import typer


def run(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")
    ],
) -> None:
    """Run any program with this project's connection in its environment.

    The AWS SDK, s5cmd, rclone (as the remote `storage:`) and mc (as the alias `storage`) find it.
    The tools of .venv come first on the PATH. No secret is on a command line.

    Examples:
      bucket run s5cmd ls s3://lab-data/
      bucket run rclone ls storage:lab-data/my-project
    """
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.jobs import run as runner

    project = Project.find()
    runner.become(command, runner.environment(command[0], project, Settings.load(project)))
