"""Imported data, looked for on the remote of the project that it comes from."""

from collections.abc import Sequence
from pathlib import Path

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import one_line
from dvc_bucket.dvc.audit import asking
from dvc_bucket.dvc.audit.findings import AuditReport, ImportedCount, NamedCommit, SkippedData
from dvc_bucket.dvc.others import Origin
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.read import origins
from dvc_bucket.read.tree import Dataset
from dvc_bucket.transfer.errors import naming_failures


def check(project: Project, report: AuditReport) -> None:
    """Look for the imported data of a report at its sources, and note the result in it.

    Whether the objects are there is all that is asked: to read them is their publisher's check.

    Raises:
        ProjectError: DVC cannot open the project.
    """
    imported = {item: commits for item, commits in report.left_out.items() if item.origin}
    if not imported:
        return
    with opened(project) as repo:
        cache = Path(repo.cache.legacy.path)
    for item, commits in imported.items():
        del report.left_out[item]
        report.imported.append(_counted(item, commits, cache))


def _counted(item: SkippedData, commits: Sequence[NamedCommit], cache: Path) -> ImportedCount:
    """One dataset, or why it could not be looked for."""
    origin = item.origin
    if origin is None:
        raise ValueError("it was not imported")
    try:
        names = _names(item, origin, cache)
        remote = origins.remote(origin)
        with naming_failures(f"look up {item.dataset}", remote.settings):
            there, refused = asking.look_up(remote, names)
    except BucketError as error:
        why = one_line(error)
        return ImportedCount(item.dataset, str(origin), not_checked=why, revisions=commits)
    if refused:
        why = f"The store does not say whether {len(refused):,} of its objects exist."
        return ImportedCount(item.dataset, str(origin), len(names), 0, why, commits)
    missing = {remote.key(name) for name in names} - {one["path"] for one in there}
    return ImportedCount(item.dataset, str(origin), len(names), len(missing), "", commits)


def _names(item: SkippedData, origin: Origin, cache: Path) -> set[bytes]:
    dataset = Dataset(item.dataset, item.name, None, None, "", origin)
    return {file.name for file in origins.files(dataset, cache)}
