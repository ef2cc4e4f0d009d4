"""`bucket verify`: what commits need, compared with what the remote has; repair; the report.

`verify` collects the needs of commits from DVC and from Git LFS. `_Look` joins them
with the remote's listing (`Listing`), reads the contents that it has to read, and reports every
fault at every path that needs the object. After a repair it looks again.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import numpy as np

from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.audit import lfs, needed, revisions
from dvc_bucket.dvc.audit.findings import (
    AuditFinding,
    AuditReport,
    DatasetCount,
    NamedCommit,
    Need,
    Needs,
    ObjectFault,
    count_faults,
)
from dvc_bucket.dvc.audit.listing import AS_NAMED, OTHER, UNKNOWN, Listing, Positions
from dvc_bucket.dvc.audit.notes import Notes
from dvc_bucket.dvc.audit.repair import repair
from dvc_bucket.dvc.audit.revisions import Selection
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.dvc.remote.arrays import array_of
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.transfer import keys

#: How much is read without --deep to settle what an ETag leaves doubtful.
DOUBTFUL_OBJECTS = 1000
DOUBTFUL_BYTES = 64 * 1024 * 1024

MISSING_LIST = ObjectFault("missing", "no local copy has the list of its files either")
CORRUPT_LIST = ObjectFault("corrupt", "the list of its files is damaged, so the files are unknown")


@dataclass(frozen=True)
class VerifyOptions:
    """What is checked, and how.

    Attributes:
        selection: of which commits.
        remote: DVC's name of the remote; None for the default one.
        deep: read every content.
        repair: send again what can be.
        lfs: check the objects of Git LFS too.
    """

    selection: Selection = field(default_factory=Selection)
    remote: str | None = None
    deep: bool = False
    repair: bool = False
    lfs: bool = False


def verify(project: Project, settings: Settings, options: VerifyOptions) -> AuditReport:
    """Compare what commits need with what the remote has, and repair it if that is asked for.

    Raises:
        RevisionError: a revision is none of this clone.
        ProjectError: git or DVC cannot read the project, or the remote is not one in S3 by hash.
        SettingsError: the settings are for another bucket than the default remote's, or have no
            keys for a repair.
        TransferError: the store refused or could not be reached.
    """
    return verify_remote(project, Remote.of(project, settings, options.remote), options)


def verify_remote(project: Project, remote: Remote, options: VerifyOptions) -> AuditReport:
    """The same of a remote that the project's configuration need not name.

    Args:
        project: the clone.
        remote: which one; `options.remote` does not count.
        options: what is checked, and how.

    Raises:
        RevisionError, ProjectError, SettingsError, TransferError: as `verify`.
    """
    if options.repair:
        remote.settings.check_may_write("`bucket verify --repair`")
    commits = revisions.select(project, options.selection)
    needs = needed.collect(project, revisions.distinct(project, commits), remote.name)
    notes = []
    if options.lfs and not lfs.collect(project, needs, commits, options.selection):
        notes.append("Git LFS tracks no file.")
    with tempfile.TemporaryDirectory(prefix="bucket-verify-") as spool:
        lists = Lists(needs.cache, remote, Path(spool))
        report = _Look(project, remote, needs, lists, options).report(commits)
        if options.repair and report.findings:
            reasons = repair(report.findings, remote, lists, needs.cache, project)
            again = _Look(project, remote, needs, lists, options).report(commits)
            report = _after(report, again, reasons)
    report.notes += notes
    return report


def _after(before: AuditReport, report: AuditReport, reasons: dict[bytes, str]) -> AuditReport:
    """The report after a repair, with what it mended and why it could not mend the rest."""
    left = {(finding.name, finding.path) for finding in report.findings}
    report.mended = [
        finding for finding in before.findings if (finding.name, finding.path) not in left
    ]
    report.read += before.read
    report.findings = [
        replace(finding, repair=reasons.get(finding.name, "")) if finding.name else finding
        for finding in report.findings
    ]
    return report


class _Look:
    """The remote as it is now, compared with the needs.

    Attributes:
        listing: what the remote lists, joined with the needs.
        sums: needs of directories whose files have not the recorded size together.
    """

    def __init__(
        self, project: Project, remote: Remote, needs: Needs, lists: Lists, options: VerifyOptions
    ) -> None:
        self._project, self._remote, self._options = project, remote, options
        self._needs, self._lists = needs, lists
        folders = {ids.FOLDER, *(ids.folder(need.name) for need in needs.needed)}
        self.listing = Listing(remote, folders, wanted=self._wanted)
        self.sums: dict[Need, ObjectFault] = {}

    def _wanted(self) -> Iterator[bytes]:
        """Every object that is needed, as far as they can be named."""
        for need in self._needs.needed:
            members = self._lists.objects(need.name)
            yield from (need.name,) if members is None else map(bytes, members)

    def report(self, commits: Sequence[NamedCommit]) -> AuditReport:
        """Compare, read what has to be read, and report every fault."""
        report = AuditReport(
            address=self._remote.address,
            endpoint=self._remote.settings.endpoint_url,
            revisions=commits,
            deep=self._options.deep,
            left_out=self._needs.left_out,
        )
        by_dataset = attrgetter("dataset")
        needs = sorted(self._needs.needed, key=by_dataset)
        report.datasets = [self._join(*group) for group in groupby(needs, key=by_dataset)]
        self._compare_sizes()
        listing = self.listing
        unread = listing.sound() if self._options.deep else _affordable(listing, report)
        report.read = listing.read(self._remote, unread, Notes(self._project))
        report.findings = sorted(self._findings(), key=attrgetter("dataset", "path"))
        _count(report, listing)
        self._note_foreign(report)
        return report

    def _join(self, dataset: str, needs: Iterable[Need]) -> DatasetCount:
        """Join the needs of a dataset with the listing, and count its objects, each once."""
        listing = self.listing
        is_there, missing = np.zeros(len(listing), np.bool_), set[bytes]()
        for need in needs:
            members = self._lists.objects(need.name)
            names = array_of([need.name]) if members is None else members
            positions = listing.need(names)
            is_there[positions[positions >= 0]] = True
            missing.update(names[positions < 0].tolist())
            if members is None:
                listing.faults[need.name] = MISSING_LIST if positions[0] < 0 else CORRUPT_LIST
            elif ids.is_list(need.name):
                if fault := _wrong_sum(need, positions[1:], listing):
                    self.sums[need] = fault
            elif positions[0] >= 0 and need.size is not None:
                listing.expected[positions[0]] = need.size
        size = int(listing.sizes[is_there].sum())
        return DatasetCount(dataset, int(is_there.sum()) + len(missing), size)

    def _compare_sizes(self) -> None:
        """Compare sizes with those recorded; with the cache where neither size nor ETag tells."""
        listing = self.listing
        unknown = listing.needed & (listing.expected == UNKNOWN) & (listing.tags != AS_NAMED)
        for position in np.flatnonzero(unknown).tolist():
            name, size = listing.name(position), int(listing.sizes[position])
            listing.expected[position] = _size_in_cache(name, self._needs.cache, size)
        listing.compare_sizes()

    def _findings(self) -> Iterator[AuditFinding]:
        """Every fault at every path that has it."""
        for unread, commits in self._needs.unreadable.items():
            fault = ObjectFault("unreadable", unread.why)
            yield AuditFinding(fault, unread.dataset, unread.dataset, None, tuple(commits))
        faults = self.listing.faults
        faulty = array_of(faults)
        for need, commits in self._needs.needed.items():
            here = {need.path: need.name} if need.name in faults else {}
            names = self._lists.objects(need.name) if ids.is_list(need.name) else None
            if names is not None and np.isin(names[1:], faulty).any():
                members = self._lists.members(need.name, faults) or ()
                here |= {f"{need.path}/{path}": name for path, name in members}
            for path, name in here.items():
                yield AuditFinding(faults[name], need.dataset, path, name, tuple(commits))
            # All contents right, no sum of sizes can say more.
            if need in self.sums and not here and not self._options.deep:
                yield AuditFinding(self.sums[need], need.dataset, need.path, None, tuple(commits))

    def _note_foreign(self, report: AuditReport) -> None:
        """Note the objects of DVC that no checked commit needs."""
        listing = self.listing
        foreign = np.flatnonzero(listing.is_of_dvc() & ~listing.needed)
        if not listing.is_listed:
            report.notes.append(
                "The bucket could not be listed, so each object was queried. Ask the bucket's "
                "owner for s3:ListBucket."
            )
        if listing.refused:
            report.notes.append(keys.said_of(listing.refused))
        report.foreign = len(foreign) + len(listing.odd) + len(listing.refused)
        report.foreign_size = int(listing.sizes[foreign].sum()) + listing.odd_size
        if self._options.selection.all_commits:
            known = [self._remote.key(listing.name(at)) for at in foreign.tolist()]
            report.foreign_keys = sorted(known + listing.odd + listing.refused)


def _wrong_sum(need: Need, files: Positions, listing: Listing) -> ObjectFault | None:
    """The fault of a directory whose files are all there, and have not the recorded size."""
    if need.size is None or (files < 0).any():
        return None
    total = int(listing.sizes[files].sum())
    if total == need.size:
        return None
    detail = (
        f"its files have {total} bytes in total, not {need.size}; --deep tells which one is wrong"
    )
    return ObjectFault("wrong size", detail)


def _size_in_cache(name: bytes, cache: Path, size: int) -> int:
    """Size of the local copy; one that differs from the remote's counts if its hash is right."""
    path = cache / ids.path(name)
    try:
        expected = path.stat().st_size
        return UNKNOWN if expected != size and not ids.is_right(path, name) else expected
    except OSError:
        return UNKNOWN


def _affordable(listing: Listing, report: AuditReport) -> Positions:
    """Which of the doubtful objects are read at once: all, unless that is much."""
    doubtful = listing.sound(OTHER)
    size = int(listing.sizes[doubtful].sum())
    if len(doubtful) <= DOUBTFUL_OBJECTS and size <= DOUBTFUL_BYTES:
        return doubtful
    report.notes.append(
        f"{len(doubtful)} objects ({size} bytes) have an ETag that is not the MD5 of their "
        "content. This is normal if the store encrypts; `--deep` reads and checks them."
    )
    return doubtful[:0]


def _count(report: AuditReport, listing: Listing) -> None:
    """Fill in the totals, in which every object counts once, and the faults of each dataset."""
    absent = listing.find(array_of(listing.faults)) < 0
    report.objects = int(listing.needed.sum()) + int(absent.sum())
    report.size = int(listing.sizes[listing.needed].sum())
    report.missing, report.damaged, report.not_checked = count_faults(report.findings)
    findings = {
        dataset: list(group)
        for dataset, group in groupby(report.findings, key=attrgetter("dataset"))
    }
    for row in report.datasets:
        row.missing, row.damaged, row.not_checked = count_faults(findings.get(row.name, ()))
