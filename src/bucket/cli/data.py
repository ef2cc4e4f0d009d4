"""DVC's words, other programs, and the main job."""

from typing import Annotated, Any, NoReturn

import typer

from bucket.cli.app import app

#: Of commands whose options are DVC's; --help is, too.
DVC_WORDS: Any = {
    "context_settings": {
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": ["--bucket-help"],
    }
}


@app.command(
    **DVC_WORDS,
    epilog="Example: `bucket dvc pull`, `bucket dvc status -c`, `bucket dvc --help`.",
)
def dvc(context: typer.Context) -> None:
    """Run any DVC command with this project's connection, from the environment or .env."""
    _become_dvc(context.args)


@app.command(**DVC_WORDS, epilog="Example: `bucket pull`, `bucket pull -j 32 data/raw`.")
def pull(context: typer.Context) -> None:
    """Bring the data of this commit here: `dvc pull`, with its options."""
    _become_dvc(["pull", *context.args])


@app.command(**DVC_WORDS, epilog="Example: `bucket push`, `bucket push -a` for all branches.")
def push(context: typer.Context) -> None:
    """Send the data of this commit to the bucket: `dvc push`, with its options."""
    _become_dvc(["push", *context.args])


@app.command(**DVC_WORDS, epilog="Example: `bucket fetch`, then `bucket dvc checkout`.")
def fetch(context: typer.Context) -> None:
    """Bring data to the cache and not yet to the folders: `dvc fetch`, with its options."""
    _become_dvc(["fetch", *context.args])


def _become_dvc(arguments: list[str]) -> NoReturn:
    """Be DVC from here on."""
    from bucket.dvc_plane.patched.chosen import is_plain
    from bucket.fast import nothing
    from bucket.paths import Project

    project = Project.find()
    if not is_plain() and nothing.is_whole_pull(arguments) and nothing.is_done(project):
        if not nothing.QUIET & set(arguments):
            print(nothing.ANSWER)
        raise typer.Exit
    from bucket.dvc_plane.connected import become_dvc
    from bucket.settings import Settings

    become_dvc(arguments, project, Settings.load(project))


@app.command(
    # What follows the program's name is its own, --help too.
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog="Example: `bucket run rclone ls storage:lab-data/my-project`, "
    "`bucket run s5cmd ls s3://lab-data/`.",
)
def run(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")
    ],
) -> None:
    """Run any program with the connection: the AWS names, those of s5cmd, rclone and mc.

    rclone has it as the remote `storage:`, mc as the alias `storage`. The tools of .venv come
    first on the PATH. Nothing secret is on a command line.
    """
    from bucket import run as runner
    from bucket.paths import Project
    from bucket.settings import Settings

    project = Project.find()
    runner.become(command, runner.environment(command[0], project, Settings.load(project)))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Example: `bucket reproduce`, which `make reproduce` calls; `bucket reproduce train`; "
    "`bucket reproduce --pull`: what others have pushed need not run; `bucket reproduce --locked`.",
)
def reproduce(
    context: typer.Context,
    locked: Annotated[
        bool, typer.Option("--locked", help="Push nothing unless all is as dvc.lock records it.")
    ] = False,
) -> None:
    """Run the stages that are stale (dvc repro, with its options), push, and say what was done."""
    from bucket import reproduce as main_job
    from bucket.paths import Project
    from bucket.settings import Settings

    project = Project.find()
    settings = Settings.load(project)
    outcome = main_job.reproduce(project, settings, print, context.args, locked=locked)
    print("\n" + main_job.describe(outcome, settings))


@app.command(
    epilog="Example: `bucket clean`; `make clean` also removes the tools' caches and .venv."
)
def clean() -> None:
    """Remove data from the workspace that is certain to come back; say what stays and why.

    That is: outputs of stages as dvc.lock records them, if the cache or the bucket has them; and
    data of `dvc add` if the bucket has it. Data that DVC does not track always stays, and so do the
    cache and the embedded store's data.
    """
    from bucket import clean as cleaning
    from bucket.paths import Project

    print(cleaning.describe(cleaning.clean(Project.find())))
