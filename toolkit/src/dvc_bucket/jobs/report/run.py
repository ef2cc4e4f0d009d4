"""`bucket report` from the question to what there is to report."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import BucketError, SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import audit, written
from dvc_bucket.dvc.commit_view import CommitView
from dvc_bucket.dvc.patched import plots as dvc_plots
from dvc_bucket.dvc.remote import Contents, Remote
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.git import revision
from dvc_bucket.jobs.report import data, metrics, plots, revisions, shown, stages
from dvc_bucket.jobs.report.data import Dataset
from dvc_bucket.jobs.report.metrics import Metric, Unread
from dvc_bucket.jobs.report.plots import Plot
from dvc_bucket.jobs.report.revisions import Pair
from dvc_bucket.jobs.report.stages import Change, Stale


@dataclass(frozen=True)
class Question:
    """What is to be compared, and how.

    Attributes:
        base: branch, tag or commit; None for the default branch.
        head: branch, tag or commit.
        use_remote: ask the remote for what is not here, and whether it has everything.
        plots: folder for the page of plots; None for no page.
    """

    base: str | None = None
    head: str = "HEAD"
    use_remote: bool = True
    plots: Path | None = None


@dataclass(frozen=True)
class Changes:
    """What a change did.

    Attributes:
        pair: the commits.
        stages: how many the head declares.
        changed: those that ran, came or went.
        stale: those whose record does not fit the head.
        metrics: all that there are.
        plots: all that can be compared.
        unread: files of metrics and plots that cannot be compared.
        datasets: those that differ.
        same_datasets: how many do not.
        pushed: what `bucket verify` says of the head; None where the remote was not asked.
        why_not: why it was not: a sentence that fits into a public page.
        notes: the same and more, for the person who runs the command.
        page: whether a page of plots was written.
    """

    pair: Pair
    stages: int
    changed: Sequence[Change]
    stale: Sequence[Stale]
    metrics: Sequence[Metric]
    plots: Sequence[Plot]
    unread: Sequence[Unread]
    datasets: Sequence[Dataset]
    same_datasets: int
    pushed: audit.AuditReport | None
    why_not: str
    notes: Sequence[str]
    page: bool


def compare(project: Project, question: Question) -> Changes:
    """Compare two commits. The work tree stays as it is, and what is in it plays no part.

    Raises:
        RevisionError: there is no such revision, or what the base is cannot be known.
        LockError, ProjectError: DVC cannot read a file of a commit.
    """
    pair = revisions.choose(project, question.base, question.head)
    access = _access(project, use=question.use_remote)
    pushed = _pushed(project, access, pair.head)
    with (
        tempfile.TemporaryDirectory(prefix="bucket-report-") as name,
        _sides(project, pair) as commits,
    ):
        spool = Path(name)
        cache = spool / "cache"
        with opened(project) as repo:
            contents = Contents(Path(repo.cache.legacy.path), access.remote, spool / "contents")
        with shown.alone(project, cache) as repo:
            base, head = (CommitView.read(repo, commit) for commit in commits)
            for one in (base, head):
                shown.provide(one, contents, cache)
            numbers, unread = metrics.compare(
                shown.metrics(repo, base), shown.metrics(repo, head), base, head
            )
            titles = (f"before {pair.base[:7]}", f"after {pair.head[:7]}")
            points = shown.plots(repo, dict(zip(titles, (base, head), strict=True)))
        templates = project.plot_templates
        drawn = dvc_plots.drawn(points, templates)
        figures, missing = plots.compare(drawn, titles, (base, head))
        if question.plots:
            with written.new_folder(question.plots, project) as page:
                shown.write_page(points, templates, page)
        datasets, same = data.changes(base, head, contents)
        return Changes(
            pair=pair,
            stages=len(head.snapshot.stages),
            changed=stages.changes(base, head),
            stale=stages.stale(head),
            metrics=numbers,
            plots=figures,
            unread=[*unread, *missing],
            datasets=datasets,
            same_datasets=same,
            pushed=pushed,
            why_not=access.why_not,
            notes=access.notes,
            page=question.plots is not None,
        )


@dataclass
class _Access:
    """The way to the remote, and why there is none."""

    settings: Settings | None = None
    remote: Remote | None = None
    why_not: str = ""
    notes: tuple[str, ...] = ()

    def fail(self, why: str, error: BucketError) -> None:
        """Do without it. What the error says names files of this machine: it is for the person."""
        self.remote, self.why_not = None, why
        self.notes = (f"The remote was not asked: {error}",)


def _access(project: Project, *, use: bool) -> _Access:
    """The remote, if it answers."""
    access = _Access()
    if not use:
        access.why_not = "this report was made without it (`--no-remote`)"
        return access
    try:
        access.settings = Settings.load(project)
        access.remote = Remote.of(project, access.settings, None)
        access.remote.check()
    except SettingsError as error:
        access.fail("no connection to it is set up where this report was made", error)
    except BucketError as error:
        access.fail("it could not be reached, or refused, where this report was made", error)
    return access


def _pushed(project: Project, access: _Access, commit: str) -> audit.AuditReport | None:
    """What `bucket verify` says of a commit; None if the remote does not answer."""
    if access.settings is None or access.remote is None:
        return None
    question = audit.VerifyOptions(audit.Selection([commit]))
    try:
        return audit.verify(project, access.settings, question)
    except BucketError as error:
        access.fail("it did not answer all that was asked", error)
        return None


@contextmanager
def _sides(project: Project, pair: Pair) -> Iterator[tuple[revision.Revision, revision.Revision]]:
    with revision.opened(project, pair.base) as base, revision.opened(project, pair.head) as head:
        yield base, head
