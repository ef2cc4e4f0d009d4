"""Needed objects joined by name with what the remote lists: which are missing, which are damaged.

`Comparison.add` joins, `compare_sizes` and `read` check what is there, `faults` has the results.
`faults` and `proven` do all of it for objects that a caller names.
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit import deep
from dvc_bucket.dvc.audit.findings import ObjectFault
from dvc_bucket.dvc.audit.listing import NO_MD5, OTHER, Listing, Positions
from dvc_bucket.dvc.audit.notes import Notes, key_mark, salt_of
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.arrays import Ids, array_of
from dvc_bucket.dvc.remote.connection import Remote

MISSING = ObjectFault("missing")

#: The size is not recorded.
UNKNOWN = -1


class Comparison:
    """The join of needed and listed objects.

    Attributes:
        listing: what the remote lists.
        needed: which of that is needed.
        expected: its sizes in bytes, or UNKNOWN.
        faults: what is wrong, by object.
    """

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.needed: NDArray[np.bool_] = np.zeros(len(listing), np.bool_)
        self.expected: NDArray[np.int64] = np.full(len(listing), UNKNOWN, np.int64)
        self.faults: dict[bytes, ObjectFault] = {}

    def add(self, names: Ids) -> Positions:
        """Need these objects; return their positions in the listing."""
        positions = self.listing.find(names)
        is_there = positions >= 0
        self.needed[positions[is_there]] = True
        self.faults.update((bytes(name), MISSING) for name in names[~is_there])
        return positions

    def name(self, position: int) -> bytes:
        """The object at a position in the listing."""
        return bytes(self.listing.names[position])

    def compare_sizes(self) -> None:
        """Find the objects that have not the expected size."""
        wrong = self.needed & (self.expected != UNKNOWN) & (self.expected != self.listing.sizes)
        for position in np.flatnonzero(wrong).tolist():
            size, expected = int(self.listing.sizes[position]), int(self.expected[position])
            self.faults[self.name(position)] = ObjectFault(
                "truncated" if size < expected else "wrong size", f"{size} of {expected} bytes"
            )

    def sound(self, *tags: int) -> Positions:
        """Positions of the needed objects without a known fault.

        Args:
            tags: what their ETags say, as in `Listing.tags`; none for anything. An object whose tag
                is OTHER has another content than it should have, or the store encrypts it.
        """
        positions = np.flatnonzero(self.needed)
        if tags:
            positions = positions[np.isin(self.listing.tags[positions], tags)]
        return positions[~np.isin(self.listing.names[positions], array_of(self.faults))]

    def read(self, remote: Remote, positions: Positions, notes: Notes) -> int:
        """Hash the objects at these positions, except noted ones; return how many were read.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        salt = salt_of(remote)
        faults, count = deep.check_unnoted(
            notes,
            self.listing.names[positions],
            self.listing.marks[positions],
            self.listing.sizes[positions],
            lambda name: deep.content_fault(remote, name),
            lambda name: key_mark(salt, remote.key(name)),
        )
        self.faults |= faults
        return count


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
    unproven = comparison.sound(OTHER) if only_doubtful else comparison.sound(OTHER, NO_MD5)
    comparison.read(remote, unproven, Notes(project))
    return comparison.faults
