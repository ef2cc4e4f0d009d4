"""Words that check: for secrets, what is on the remote, and whether results can be had again."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from dvc_bucket.cli.app import app


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


@app.command(
    epilog="Example: `bucket verify`; `bucket verify --all-branches --deep`; `bucket verify "
    "--repair`; `bucket verify --cache`. Exit status: 0 complete, 1 not, 2 usage."
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
    lfs: Annotated[
        bool, typer.Option("--lfs", help="The objects of Git LFS, too (docs/git-lfs.md).")
    ] = False,
    remote: Annotated[
        str | None, typer.Option("--remote", "-r", help="Instead of the default remote.")
    ] = None,
    cache: Annotated[
        bool,
        typer.Option("--cache", help="Check the local cache instead; asks no store."),
    ] = False,
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
    With --cache: reads the objects of the local cache that changed since they were last read, and
    compares them with their names. --cache --repair moves damaged objects aside.
    """
    if cache:
        if any((rev, all_branches, all_tags, all_commits, deep, lfs, remote, install_hook)):
            raise typer.BadParameter("--cache goes with --repair and --json only")
        _verify_cache(repair=repair, as_json=as_json)
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc import audit as verify
    from dvc_bucket.git.hooks import push
    from dvc_bucket.jobs.verify import report

    project = Project.find()
    if install_hook:
        if installed := push.HOOK.install(project):
            print(installed)
        return
    selection = verify.Selection(rev or (), all_branches, all_tags, all_commits)
    question = verify.Question(selection, remote, deep, repair, lfs)
    try:
        found = verify.verify(project, Settings.load(project), question)
    except verify.RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="--rev") from None
    if as_json:
        print(report.as_json(found))
    else:
        report.show(found)
    raise typer.Exit(0 if found.ok else 1)


def _verify_cache(*, repair: bool, as_json: bool) -> NoReturn:
    from dvc_bucket.base.paths import Project
    from dvc_bucket.dvc.audit import cache

    found = cache.check(Project.find(), repair=repair)
    print(found.as_json() if as_json else found)
    raise typer.Exit(0 if found.ok else 1)


@app.command(
    epilog="Example: `bucket check`; `bucket check v1.0 --times 2`; `bucket check --here --stages "
    "train --kernels`. Exit status: 0 reproduced, 1 not, 2 usage."
)
def check(
    rev: Annotated[str, typer.Argument(help="Branch, tag or commit.")] = "HEAD",
    stages: Annotated[
        list[str] | None,
        typer.Option("--stages", help="Only these, by commas; what others make is pulled."),
    ] = None,
    times: Annotated[
        int, typer.Option(min=1, help="Fresh runs that are compared; each a little otherwise.")
    ] = 1,
    kernels: Annotated[
        bool, typer.Option("--kernels", help="Run again as on three other processors.")
    ] = False,
    tolerance: Annotated[
        Path | None, typer.Option(help="YAML file with how far numbers may differ.")
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Use the current packages, not new ones.")
    ] = False,
    causes: Annotated[
        bool,
        typer.Option(help="Where outputs differ, run their stage again to find out why."),
    ] = True,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the folder; print it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Rebuild a commit from its inputs in a clean clone, and compare every output with dvc.lock.

    Also finds dependencies that changed during the run, outputs that their stage did not make, and
    files and connections that stages do not declare.
    """
    from dvc_bucket.base import progress
    from dvc_bucket.base.paths import Project
    from dvc_bucket.jobs import check as checking
    from dvc_bucket.jobs.check import report

    names = [name for words in stages or () for name in words.split(",") if name]
    question = checking.Question(rev, names, times, tolerance, kernels, here, causes, keep)
    try:
        with progress.status() as say:
            found = checking.check(Project.find(), question, say)
    except checking.RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="REV") from None
    except checking.StageNameError as error:
        raise typer.BadParameter(str(error), param_hint="--stages") from None
    print(report.as_json(found)) if as_json else report.show(found)
    raise typer.Exit(0 if found.ok else 1)
