"""The words a person types; no logic."""

import sys
from typing import Annotated, Any, NoReturn

import typer

from bucket.errors import BucketError

app = typer.Typer(
    name="bucket",
    help="The object store made easy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


#: Of commands whose options are DVC's; --help is, too.
DVC_WORDS: Any = {
    "context_settings": {
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "help_option_names": ["--bucket-help"],
    }
}


@app.callback()
def bucket() -> None:
    """Data on object storage: serve it, move it, reproduce from it."""


@app.command(
    epilog="Example: `bucket serve`, then `dvc pull`; `bucket serve --stop` when you are done."
)
def serve(
    status: Annotated[
        bool, typer.Option("--status", help="Say whether it runs; 1 if not.")
    ] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop it; the data stays.")] = False,
    if_embedded: Annotated[
        bool,
        typer.Option("--if-embedded", help="Do nothing where the settings name a store elsewhere."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --status: for a program.")] = False,
) -> None:
    """Start the embedded object store of this project in the background, on this machine only."""
    from bucket import server_text
    from bucket.paths import Project
    from bucket.server import Server

    server = Server(Project.find())
    if (status and stop) or (as_json and not status):
        raise typer.BadParameter("--status and --stop exclude each other; --json needs --status")
    if status:
        found = server.status()
        print(found.as_json() if as_json else server_text.status(found))
        raise typer.Exit(0 if found.state == "running" else 1)
    if stop:
        print(server_text.stopped(ran=server.stop()))
    elif server.is_wanted or not if_embedded:
        print(server_text.started(server.start()))


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
    from bucket.dvc_remote import become_dvc
    from bucket.paths import Project
    from bucket.settings import Settings

    project = Project.find()
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


@app.command(epilog="Example: `bucket reproduce`, which `make reproduce` calls.")
def reproduce() -> None:
    """Run the stages that are stale (dvc repro), push (dvc push), and say what was done."""
    from bucket import reproduce as main_job
    from bucket.paths import Project
    from bucket.settings import Settings

    project = Project.find()
    settings = Settings.load(project)
    outcome = main_job.reproduce(project, settings, echo=print)
    print("\n" + main_job.describe(outcome, settings))


@app.command(
    epilog="Example: `bucket init`, which asks; or `bucket init --endpoint https://s3.example.org "
    "--bucket lab-data --prefix my-project --yes`, with the two keys in the environment."
)
def init(
    name: Annotated[str | None, typer.Option(help="Name of the project.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="URL of the S3 API, or: aws.")] = None,
    region: Annotated[str | None, typer.Option(help="Region that requests are signed for.")] = None,
    bucket: Annotated[str | None, typer.Option(help="The bucket.")] = None,
    prefix: Annotated[
        str | None, typer.Option(help="Prefix of its keys in the bucket; the name, if it was.")
    ] = None,
    cacert: Annotated[
        str | None,
        typer.Option(help="PEM file of the certificate authority, where it is not a public one."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Write without asking; the rest stays.")
    ] = False,
    no_doctor: Annotated[
        bool, typer.Option("--no-doctor", help="Do not run `bucket doctor` at the end.")
    ] = False,
) -> None:
    """Point the project at a bucket: writes every place that names it, and .env with your keys.

    The keys are asked for without being shown, or taken from OS_ACCESS_KEY_ID and
    OS_SECRET_ACCESS_KEY of the environment; never from the command line.
    """
    from bucket import init as dialogue
    from bucket.paths import Project
    from bucket.places import Names

    given = Names(project=name, endpoint=endpoint, region=region, bucket=bucket, prefix=prefix)
    dialogue.run(Project.find(), given, cacert=cacert, yes=yes)
    if not no_doctor:
        doctor()


@app.command(epilog="Example: `bucket doctor`, or `bucket doctor --json | jq .ok`.")
def doctor(
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Do not write probe objects to the bucket.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Find what is wrong with the connection, the credentials or this machine, and the fix."""
    from bucket.doctor import examine, report
    from bucket.paths import Project

    project = Project.find()
    with report.progress() as on_start:
        results = list(examine(project, read_only=read_only, on_start=on_start))
    if as_json:
        print(report.as_json(results))
    else:
        report.show(results)
    raise typer.Exit(1 if report.failed(results) else 0)


@app.command(epilog="Example: `bucket secrets`; `bucket secrets --history`, which CI runs.")
def secrets(
    staged: Annotated[
        bool, typer.Option("--staged", help="What a commit would add, as the git hook does.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Every content of every commit.")
    ] = False,
    install_hook: Annotated[
        bool, typer.Option("--install-hook", help="Have git refuse commits with a secret.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Search the tracked files for credentials; 1 if there are any. Nothing is sent anywhere."""
    from bucket import commit_hook, secret_scan
    from bucket.paths import Project

    if staged + history + install_hook > 1 or (install_hook and as_json):
        raise typer.BadParameter("--staged, --history and --install-hook exclude each other")
    project = Project.find()
    if install_hook:
        if installed := commit_hook.install(project):
            print(installed)
        return
    where: secret_scan.Where = "staged" if staged else "history" if history else "tracked"
    outcome = secret_scan.search(project, where)
    print(outcome.as_json() if as_json else outcome)
    raise typer.Exit(1 if outcome.findings else 0)


@app.command(
    epilog="Example: `bucket verify`; `bucket verify --all-branches --deep`; `bucket verify "
    "--repair`. Exit status: 0 complete, 1 not, 2 usage."
)
def verify(
    rev: Annotated[
        list[str] | None, typer.Option("--rev", help="A revision; can be given more than once.")
    ] = None,
    all_branches: Annotated[
        bool, typer.Option("--all-branches", "-a", help="The tips of all local branches.")
    ] = False,
    all_tags: Annotated[bool, typer.Option("--all-tags", "-T", help="All tags.")] = False,
    all_commits: Annotated[
        bool, typer.Option("--all-commits", "-A", help="All commits; names foreign objects too.")
    ] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every content that was not read before.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Send again what a good copy here can mend.")
    ] = False,
    remote: Annotated[
        str | None, typer.Option("--remote", "-r", help="Instead of the default remote.")
    ] = None,
    install_hook: Annotated[
        bool,
        typer.Option(
            "--install-hook", help="Have git refuse pushes whose data is not on the remote."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Is all data of the workspace, or of commits, on the remote, whole and unchanged?

    Directories are looked into: DVC itself does not see an object that is gone from inside one.
    """
    from bucket import push_hook, verify
    from bucket.paths import Project
    from bucket.settings import Settings
    from bucket.verify import report

    project = Project.find()
    if install_hook:
        if installed := push_hook.install(project):
            print(installed)
        return
    selection = verify.Selection(rev or (), all_branches, all_tags, all_commits)
    question = verify.Question(selection, remote, deep, repair)
    try:
        found = verify.verify(project, Settings.load(project), question)
    except verify.RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="--rev") from None
    if as_json:
        print(report.as_json(found))
    else:
        report.show(found)
    raise typer.Exit(0 if found.ok else 1)


def main() -> None:
    """Run the command line; a failure of ours is one paragraph on stderr and exit status 1."""
    try:
        app()
    except BucketError as error:
        print(f"bucket: {error}", file=sys.stderr)
        sys.exit(1)
