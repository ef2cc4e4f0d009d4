"""Commands that prove, describe and merge records."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dvc_bucket.base.options import JsonOption
from dvc_bucket.base.paths import Project


def provenance(
    out: Annotated[
        Path,
        typer.Option("--out", help="Folder to write: new, or written by an earlier run."),
    ],
    rev: Annotated[str, typer.Argument(help="Branch, tag or commit.")] = "HEAD",
    as_zip: Annotated[
        bool, typer.Option("--zip", help="Write OUT.zip, the format that Zenodo accepts.")
    ] = False,
    data: Annotated[
        list[str] | None,
        typer.Option("--with", help="Include the data at or below this path."),
    ] = None,
    with_data: Annotated[
        bool, typer.Option("--with-data", help="Include all data that DVC tracks.")
    ] = False,
) -> None:
    """Describe how a commit's results were made: a Workflow Run RO-Crate with an HTML page.

    The crate is derived from git alone, so the same commit gives the same bytes. It names data that
    it does not include by hash and address.

    Examples:
      bucket provenance --out crate
      bucket provenance v1.0 --out crate --zip --with reports
    """
    from dvc_bucket.jobs.provenance import write
    from dvc_bucket.read import tracked

    paths = [""] if with_data else [tracked.from_here(path) for path in data or ()]
    written = write(Project.find(), rev, out, as_zip=as_zip, data=paths)
    for note in written.notes:
        print(f"Note: {note}", file=sys.stderr)
    print(f"{written.stages} stages of the commit {written.commit[:12]}.", file=sys.stderr)
    print(written.place)


StagedOption = Annotated[
    bool,
    typer.Option("--staged", help="Scan the additions of the next commit, as the git hook does."),
]
MessageOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="With --staged: also scan this commit message."),
]
HistoryOption = Annotated[
    bool,
    typer.Option("--history", help="Scan every file and message of every commit, and tags."),
]
InstallHookOption = Annotated[
    bool,
    typer.Option("--install-hook", help="Install git hooks that refuse secrets in commits."),
]


def secrets(
    staged: StagedOption = False,
    message: MessageOption = None,
    history: HistoryOption = False,
    install_hook: InstallHookOption = False,
    as_json: JsonOption = False,
) -> None:
    """Scan tracked files for credentials.

    Exits 1 if any are found. Nothing is sent over the network.

    Examples:
      bucket secrets
      bucket secrets --history
    """
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


def lock_merge(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Ancestor, ours, theirs, and the path in the repository."),
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Have git call this command.")] = False,
) -> None:
    """Merge dvc.lock of two branches stage by stage; git calls this command.

    Examples:
      bucket lock-merge --install
      bucket lock-merge base.lock ours.lock theirs.lock dvc.lock
    """
    from dvc_bucket.dvc.lock import driver

    if install:
        if installed := driver.install(Project.find()):
            print(installed)
        return
    if not files or len(files) != 4:
        raise typer.BadParameter("git gives four files: ancestor, ours, theirs, path")
    base, ours, theirs = map(Path, files[:3])
    merged = driver.merge_files(base, ours, theirs, files[3])
    if line := driver.to_run_again(merged, files[3]):
        print(line, file=sys.stderr)
