"""Everything that the report says of two commits, from DVC, git and the remote."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import BucketError, SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import audit, written
from dvc_bucket.dvc.patched import plots as dvc_plots
from dvc_bucket.dvc.remote import Contents, Remote
from dvc_bucket.jobs.report import datasets, metrics, plots, stages
from dvc_bucket.jobs.report.commit_views import Pair, ReportedCommit, choose, opened_views
from dvc_bucket.jobs.report.datasets import DatasetChange
from dvc_bucket.jobs.report.metrics import Metric, Unread
from dvc_bucket.jobs.report.plots import Plot
from dvc_bucket.jobs.report.stages import PackageChange, StageChange


@dataclass(frozen=True)
class RemoteState:
    """The remote at the head of a change.

    Attributes:
        why_not: why it was not asked, in words that fit into a public page; empty if it was.
        note: the same with names of this machine, for the person who runs the command.
        remote: where contents are read; None if it was not asked.
        pushed: the result of `bucket verify`; None likewise.
    """

    why_not: str
    note: str = ""
    remote: Remote | None = None
    pushed: audit.AuditReport | None = None


@dataclass(frozen=True)
class Changes:
    """What a change did.

    Attributes:
        pair: the commits.
        stages: number of stages that the head declares.
        changed: stages that ran, are new or were removed.
        packages: those with another version, and the stages that it reran.
        stale: stages whose record does not fit the head.
        metrics: all metrics.
        plots: all plots that can be compared.
        unread: files of metrics and plots that cannot be compared.
        datasets: data that differs.
        same_datasets: number of datasets that do not differ.
        remote: the remote at the head.
        page: whether a page of plots was written.
    """

    pair: Pair
    stages: int
    changed: Sequence[StageChange]
    packages: Sequence[PackageChange]
    stale: Sequence[StageChange]
    metrics: Sequence[Metric]
    plots: Sequence[Plot]
    unread: Sequence[Unread]
    datasets: Sequence[DatasetChange]
    same_datasets: int
    remote: RemoteState
    page: bool


def compare(
    project: Project,
    base: str | None = None,
    head: str = "HEAD",
    *,
    use_remote: bool = True,
    plots_folder: Path | None = None,
) -> Changes:
    """Compare two commits. The work tree is neither read nor changed.

    Args:
        project: in a git repository.
        base: branch, tag or commit; None for the default branch.
        head: branch, tag or commit.
        use_remote: read from the remote what is not in the cache, and verify the head there.
        plots_folder: folder for the page of plots; None for no page.

    Raises:
        RevisionError: there is no such revision, or the base cannot be inferred.
        LockError, ProjectError: DVC cannot read a file of a commit.
    """
    pair = choose(project, base, head)
    remote = _ask(project, pair.head) if use_remote else NOT_ASKED
    with opened_views(project, pair, remote.remote) as (before, after, contents):
        return _changes(project, pair, (before, after), contents, remote, plots_folder)


def _changes(
    project: Project,
    pair: Pair,
    views: tuple[ReportedCommit, ReportedCommit],
    contents: Contents,
    remote: RemoteState,
    plots_folder: Path | None,
) -> Changes:
    before, after = views
    values, unread = metrics.compare(before, after)
    figures, missing = _plots(project, before, after, plots_folder)
    differing, same = datasets.changes(before, after, contents)
    changed = stages.changes(before, after)
    return Changes(
        pair,
        stages=len(after.snapshot.stages),
        changed=changed,
        packages=stages.packages(changed),
        stale=stages.stale(after),
        metrics=values,
        plots=figures,
        unread=[*unread, *missing],
        datasets=differing,
        same_datasets=same,
        remote=remote,
        page=plots_folder is not None,
    )


def _plots(
    project: Project, before: ReportedCommit, after: ReportedCommit, folder: Path | None
) -> tuple[list[Plot], list[Unread]]:
    """The plots, whose page is written if a folder is named, and files that cannot be compared."""
    points, templates = {view.title: view.plots for view in (before, after)}, project.plot_templates
    drawn = dvc_plots.drawn(points, templates)
    if folder:
        with written.new_folder(folder, project) as page:
            dvc_plots.write_page(points, templates, page)
    return plots.compare(drawn, before, after)


NOT_ASKED = RemoteState("this report was made without it (`--no-remote`)")


def _ask(project: Project, commit: str) -> RemoteState:
    """Connect to the remote, and verify a commit there."""
    why_not = "it was unreachable, or refused, when this report was made"
    try:
        settings = Settings.load(project)
        remote = Remote.of(project, settings, None)
        remote.check()
        why_not = "it did not answer all requests"
        pushed = audit.verify(project, settings, audit.VerifyOptions(audit.Selection([commit])))
    except BucketError as error:
        if isinstance(error, SettingsError):
            why_not = "this report was made without a connection to it"
        return RemoteState(why_not, f"The remote was not queried: {error}")
    return RemoteState("", "", remote, pushed)
