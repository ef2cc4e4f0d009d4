"""Needed objects joined by name with what the remote lists: which are missing, which are damaged.

`add` joins, `compare_sizes` and `read` look at what is there, `faults` has the results.
"""

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.dvc.audit import deep
from dvc_bucket.dvc.audit.findings import ObjectFault
from dvc_bucket.dvc.audit.listing import OTHER, Listing, Positions
from dvc_bucket.dvc.audit.notes import Notes, key_mark, salt_of
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

    def sound(self) -> Positions:
        """Positions of the needed objects without a known fault."""
        needed = np.flatnonzero(self.needed)
        return needed[~np.isin(self.listing.names[needed], array_of(self.faults))]

    def doubtful(self) -> Positions:
        """Positions of those whose ETag is an MD5, and not the one that their name promises.

        Such an object has another content than it should have, or the store encrypts it.
        """
        sound = self.sound()
        doubtful: Positions = sound[self.listing.tags[sound] == OTHER]
        return doubtful

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
