"""Objects that a remote is proven to hold: with the content that their names promise."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit.comparison import UNKNOWN, Comparison
from dvc_bucket.dvc.audit.findings import ObjectFault
from dvc_bucket.dvc.audit.listing import AS_NAMED, Listing
from dvc_bucket.dvc.audit.notes import Notes
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.arrays import array_of
from dvc_bucket.dvc.remote.connection import Remote


def proven(project: Project, remote: Remote, names: Iterable[bytes]) -> set[bytes]:
    """Return those of the objects that the remote holds with the right content, as `faults` does.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    wanted = dict.fromkeys(names, UNKNOWN)
    return wanted.keys() - faults(project, remote, wanted)


def faults(
    project: Project,
    remote: Remote,
    sizes: Mapping[bytes, int],
    *,
    md5: Callable[[bytes], str] = ids.digest,
    only_doubtful: bool = False,
) -> dict[bytes, ObjectFault]:
    """Return what is wrong with objects on a remote; one without a fault is proven.

    An ETag that is the MD5 of the content proves it. Any other object is read and hashed, unless
    a note says that this version of it was read before.

    Args:
        project: has the notes.
        remote: which one.
        sizes: of the objects in bytes, or UNKNOWN.
        md5: the MD5 of an object's content.
        only_doubtful: read only where the ETag is another MD5, so that size and name are proof
            enough for an object that was sent in parts.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    comparison = Comparison(Listing(remote, {ids.folder(name) for name in sizes}, md5))
    positions = comparison.add(array_of(sizes))
    is_there = positions >= 0
    comparison.expected[positions[is_there]] = np.array([*sizes.values()], np.int64)[is_there]
    comparison.compare_sizes()
    unproven = comparison.sound()
    unproven = unproven[comparison.listing.tags[unproven] != AS_NAMED]
    unproven = comparison.doubtful() if only_doubtful else unproven
    comparison.read(remote, unproven, Notes(project))
    return comparison.faults
