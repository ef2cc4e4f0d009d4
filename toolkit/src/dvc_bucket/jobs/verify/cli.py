"""`bucket verify`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from dvc_bucket.base.options import JsonOption, RemoteOption
from dvc_bucket.base.paths import Project

if TYPE_CHECKING:
    from dvc_bucket.dvc.audit import VerifyOptions

RevsOption = Annotated[
    list[str] | None,
    typer.Option("--rev", help="Branch, tag or commit; repeatable."),
]
BranchesOption = Annotated[
    bool, typer.Option("--all-branches", "-a", help="Check the tips of all local branches.")
]
TagsOption = Annotated[bool, typer.Option("--all-tags", "-T", help="Check all tags.")]
CommitsOption = Annotated[
    bool,
    typer.Option("--all-commits", "-A", help="Check all commits; also list foreign objects."),
]
DeepOption = Annotated[
    bool, typer.Option("--deep", help="Read and hash every object that no earlier run has read.")
]
RepairOption = Annotated[
    bool,
    typer.Option("--repair", help="Upload missing and damaged objects from intact local copies."),
]
LfsOption = Annotated[bool, typer.Option("--lfs", help="Also check the objects of Git LFS.")]
CacheOption = Annotated[
    bool, typer.Option("--cache", help="Check the local cache instead of the bucket.")
]
HookOption = Annotated[
    bool,
    typer.Option(
        "--install-hook", help="Install a git hook that refuses pushes without their data."
    ),
]


def verify(
    rev: RevsOption = None,
    all_branches: BranchesOption = False,
    all_tags: TagsOption = False,
    all_commits: CommitsOption = False,
    deep: DeepOption = False,
    repair: RepairOption = False,
    lfs: LfsOption = False,
    remote: RemoteOption = None,
    cache: CacheOption = False,
    install_hook: HookOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check that the bucket has all data of the work tree or of commits, complete and unchanged.

    Directories are checked file by file; `dvc push` and `dvc status -c` do not notice a missing
    object of a directory. Imported data is checked on the remote of the project that it comes from.

    With --cache, it hashes the objects of the local cache that changed since the last check.
    --cache --repair moves damaged objects aside.

    Exit status: 0 complete, 1 data missing or damaged, 2 wrong usage, 3 no problem found but some
    data not checked.

    Examples:
      bucket verify --all-branches --deep
      bucket verify --rev v1.0 --repair
    """
    if cache:
        if any((rev, all_branches, all_tags, all_commits, deep, lfs, remote, install_hook)):
            raise typer.BadParameter("--cache can be combined with --repair and --json only")
        _verify_cache(repair=repair, as_json=as_json)
    if install_hook:
        _install_hook()
        return
    from dvc_bucket.dvc import audit

    selection = audit.Selection(rev or (), all_branches, all_tags, all_commits)
    options = audit.VerifyOptions(selection, remote, deep, repair, lfs)
    _verify_remote(Project.find(), options, as_json=as_json)


def _install_hook() -> None:
    from dvc_bucket.git.hooks import push

    if installed := push.HOOK.install(Project.find()):
        print(installed)


def _verify_remote(project: Project, options: "VerifyOptions", *, as_json: bool) -> NoReturn:
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc import audit
    from dvc_bucket.jobs.verify import imports, report

    try:
        with _not_checked():
            settings = Settings.load(project)
        if options.repair:
            settings.check_may_write("`bucket verify --repair`")
        with _not_checked():
            result = audit.verify(project, settings, options)
            imports.check(project, result)
    except audit.RevisionError as error:
        raise typer.BadParameter(str(error), param_hint="--rev") from None
    if as_json:
        print(report.as_json(result))
    else:
        report.show(result)
    raise typer.Exit(result.exit_status)


@contextmanager
def _not_checked() -> Iterator[None]:
    """Exit with the status for "not checked" if the block could check nothing."""
    from dvc_bucket.base import failures
    from dvc_bucket.base.errors import NotCheckedError, ServerError, SettingsError, TransferError
    from dvc_bucket.connection.masking import masked
    from dvc_bucket.dvc.audit.findings import NOT_CHECKED

    try:
        yield
    except (TransferError, NotCheckedError, SettingsError, ServerError, OSError) as error:
        said = failures.of_machine(error) or error
        print(masked(f"bucket: not checked. {said}"), file=sys.stderr)
        raise typer.Exit(NOT_CHECKED) from None


def _verify_cache(*, repair: bool, as_json: bool) -> NoReturn:
    from dvc_bucket.jobs.verify import cache

    with _not_checked():
        report = cache.check(Project.find(), repair=repair)
    print(report.as_json() if as_json else report)
    raise typer.Exit(0 if report.ok else 1)
