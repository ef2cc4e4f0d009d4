"""`bucket verify` from the question to the report."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.audit import deep, lfs, naming, needed, revisions
from dvc_bucket.dvc.audit.compare import Survey, survey
from dvc_bucket.dvc.audit.findings import Needs, Report, Revision
from dvc_bucket.dvc.audit.listing import Listing
from dvc_bucket.dvc.audit.notes import Notes
from dvc_bucket.dvc.audit.repair import repair
from dvc_bucket.dvc.audit.revisions import Selection
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.dvc.remote.arrays import array_of
from dvc_bucket.dvc.remote.lists import Lists

#: How much is read without --deep to settle what an ETag leaves doubtful.
DOUBTFUL_OBJECTS = 1000
DOUBTFUL_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Question:
    """What is to be checked, and how.

    Attributes:
        selection: of which commits.
        remote: DVC's name of the remote; None for the default one.
        deep: read every content.
        repair: send again what can be.
        lfs: look for the objects of Git LFS, too.
    """

    selection: Selection = field(default_factory=Selection)
    remote: str | None = None
    deep: bool = False
    repair: bool = False
    lfs: bool = False


def verify(project: Project, settings: Settings, question: Question) -> Report:
    """Compare what commits need with what the remote has, and mend it if that is asked for.

    Raises:
        RevisionError: a revision is none of this clone.
        ProjectError: git or DVC cannot read the project, or the remote is not one in S3 by hash.
        SettingsError: the settings are for another bucket than the default remote's.
        TransferError: the store refused or could not be reached.
    """
    remote = Remote.of(project, settings, question.remote)
    chosen = revisions.select(project, question.selection)
    report = _data_of_dvc(project, remote, chosen, question)
    if question.lfs:
        lfs.Check(project, remote, question.deep).add_to(
            report, question.selection, repair=question.repair
        )
    return report


def _data_of_dvc(
    project: Project, remote: Remote, chosen: Sequence[Revision], question: Question
) -> Report:
    """What DVC tracks at these revisions, against the remote."""
    groups = revisions.distinct(project, chosen)
    needs = needed.collect(project, groups, remote.name)
    with tempfile.TemporaryDirectory(prefix="bucket-verify-") as spool:
        lists = Lists(needs.cache, remote, Path(spool))
        check = _Check(project, remote, needs, lists, question)
        report = check.report(chosen)
        if not (question.repair and report.findings):
            return report
        reasons = repair(report.findings, remote, lists, needs.cache, project.root)
        after = check.report(chosen)
    left = {(one.name, one.path) for one in after.findings}
    after.mended = [one for one in report.findings if (one.name, one.path) not in left]
    after.findings = [
        replace(one, repair=reasons.get(one.name, "")) if one.name else one
        for one in after.findings
    ]
    return after


@dataclass
class _Check:
    """What stays the same between the look before a repair and the one after."""

    project: Project
    remote: Remote
    needs: Needs
    lists: Lists
    question: Question

    def report(self, chosen: Sequence[Revision]) -> Report:
        """Look at the remote as it is now."""
        is_deep = self.question.deep
        with_legacy = any(ids.is_legacy(need.name) for need in self.needs.needed)
        listing = Listing(self.remote, with_legacy=with_legacy)
        found = survey(self.needs.needed, listing, self.lists, self.needs.cache)
        report = Report(
            address=self.remote.address,
            endpoint=self.remote.settings.endpoint_url,
            revisions=chosen,
            deep=is_deep,
            unchecked=self.needs.unchecked,
        )
        places = found.sound() if is_deep else self._affordable(found, report)
        report.read = deep.read(self.remote, found, places, Notes(self.project))
        _count(found, report)
        report.datasets = naming.dataset_rows(self.needs, found, self.lists)
        report.findings = naming.findings_by_path(self.needs, found, self.lists, deep=is_deep)
        self._note_foreign(found, report)
        return report

    def _affordable(self, found: Survey, report: Report) -> NDArray[np.intp]:
        """What of the doubtful is to be read at once: all, unless that is much."""
        places = found.doubtful()
        size = int(found.listing.sizes[places].sum())
        if len(places) <= DOUBTFUL_OBJECTS and size <= DOUBTFUL_BYTES:
            return places
        report.notes.append(
            f"{len(places)} objects ({size} bytes) have an ETag that is not the MD5 of what they "
            "should hold. That is so where the store encrypts; `--deep` reads them and tells."
        )
        return places[:0]

    def _note_foreign(self, found: Survey, report: Report) -> None:
        listing = found.listing
        places = np.flatnonzero(~found.needed)
        report.foreign = len(places) + len(listing.odd)
        report.foreign_size = int(listing.sizes[places].sum()) + listing.odd_size
        if self.question.selection.all_commits:
            keys = [self.remote.key(found.name(place)) for place in places.tolist()]
            report.foreign_keys = sorted(keys + listing.odd)


def _count(found: Survey, report: Report) -> None:
    """The totals, in which every object counts once."""
    kinds = [fault.kind for fault in found.faults.values()]
    absent = sum(found.listing.find(array_of(found.faults)) < 0)
    report.objects = int(found.needed.sum()) + int(absent)
    report.size = int(found.listing.sizes[found.needed].sum())
    report.missing = kinds.count("missing")
    report.damaged = len(kinds) - report.missing
