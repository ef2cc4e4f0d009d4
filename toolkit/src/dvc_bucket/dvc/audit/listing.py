"""Everything that a remote lists, joined by name with what is needed: what is missing or damaged?

`Listing.need` joins, `compare_sizes` and `read` check what is there, `faults` has the results.
The functions `faults` and `proven` do all of it for objects that a caller names.
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from obstore.exceptions import BaseError

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit import asking, deep
from dvc_bucket.dvc.audit.findings import ObjectFault
from dvc_bucket.dvc.audit.notes import Notes, key_mark, mark, salt_of
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.arrays import Ids, array_of
from dvc_bucket.dvc.remote.connection import Remote
from dvc_bucket.transfer import keys, unlisted
from dvc_bucket.transfer.errors import naming_failures

MISSING = ObjectFault("missing")

UNSAID = ObjectFault("not checked", "the store does not say whether it exists: s3:ListBucket")

#: The size is not recorded.
UNKNOWN = -1

#: What an ETag says of the content: it is its MD5, it is another MD5, it is none.
AS_NAMED, OTHER, NO_MD5 = 1, 0, -1

#: Positions in the arrays of a listing; -1 for what is not on the remote.
Positions = NDArray[np.intp]


class Listing:
    """What a remote lists, as arrays in the order of the objects' names, and what is needed of it.

    Attributes:
        names: of the objects, sorted.
        sizes: in bytes.
        tags: what the ETags say of the contents.
        marks: a number for each version of each object, which changes when it is written again.
        odd: keys in DVC's folder of objects that are none.
        odd_size: bytes of those.
        refused: keys that no client of ours can ask for, and so none of DVC's.
        is_listed: whether the store gave a listing.
        needed: which of the objects are needed.
        expected: sizes of these in bytes, or UNKNOWN.
        faults: what is wrong, by object.
    """

    def __init__(
        self,
        remote: Remote,
        folders: Collection[str],
        md5: Callable[[bytes], str] = ids.digest,
        wanted: Callable[[], Iterable[bytes]] | None = None,
    ) -> None:
        """Ask the store.

        Args:
            remote: which one.
            folders: below its prefix, as `ids.folder` has them. The empty one is that of the layout
                before DVC 3, whose objects lie among everything else.
            md5: the MD5 of an object's content, which its ETag is compared with.
            wanted: the objects to ask for one by one where the store refuses to list; None to
                raise there.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        self.odd: list[str] = []
        self.odd_size = 0
        self.refused: list[str] = []
        self.is_listed, self._unsaid = True, set[bytes]()
        self._read(remote, folders, md5, wanted)
        self.needed: NDArray[np.bool_] = np.zeros(len(self.names), np.bool_)
        self.expected: NDArray[np.int64] = np.full(len(self.names), UNKNOWN, np.int64)
        self.faults: dict[bytes, ObjectFault] = {}

    def _read(
        self,
        remote: Remote,
        folders: Collection[str],
        md5: Callable[[bytes], str],
        wanted: Callable[[], Iterable[bytes]] | None,
    ) -> None:
        """Read what the store says of objects into the arrays."""
        names, sizes, tags, marks = list[bytes](), array("q"), array("b"), array("Q")
        root, salt = f"{remote.prefix}/" if remote.prefix else "", salt_of(remote)
        with naming_failures(f"list {remote.address}", remote.settings):
            for item in self._items(remote, root, folders, wanted):
                name = ids.from_path(item["path"][len(root) :])
                if name is None:
                    self._note_odd(item, root)
                    continue
                names.append(name)
                sizes.append(item["size"])
                tags.append(says(item["e_tag"], name, md5))
                marks.append(mark(salt, item))
        unsorted = array_of(names)
        order = np.argsort(unsorted, kind="stable")
        self.names: Ids = unsorted[order]
        self.sizes: NDArray[np.int64] = np.asarray(sizes)[order]
        self.tags: NDArray[np.int8] = np.asarray(tags)[order]
        self.marks: NDArray[np.uint64] = np.asarray(marks)[order]

    def _items(
        self,
        remote: Remote,
        root: str,
        folders: Collection[str],
        wanted: Callable[[], Iterable[bytes]] | None,
    ) -> Iterator[Any]:
        """What the store says of objects: in its listings, or else of those that are wanted."""
        settings, store = remote.settings, remote.store
        try:
            for folder in [""] if "" in folders else folders:
                below = root + folder or None
                for batch in keys.objects(settings, store, below, self._note_refused):
                    yield from batch
        except BaseError as error:
            if wanted is None or not unlisted.is_refusal(error):
                raise
            self.is_listed = False
            there, self._unsaid = asking.look_up(remote, wanted())
            yield from there

    def __len__(self) -> int:
        return len(self.names)

    def find(self, names: Ids) -> Positions:
        """Positions of objects."""
        if not len(self.names):
            return np.full(len(names), -1, np.intp)
        positions = np.searchsorted(self.names, names)
        positions[positions == len(self.names)] = 0
        return np.where(self.names[positions] == names, positions, -1)

    def _note_refused(self, key: str, size: int) -> None:
        self.refused.append(key)
        self.odd_size += size

    def _note_odd(self, item: Any, root: str) -> None:
        path = item["path"]
        # An empty "folder" lingers in some stores' listings after its last object went.
        if path[len(root) :].startswith(ids.FOLDER) and not (item["size"] == 0 and "." not in path):
            self.odd.append(path)
            self.odd_size += item["size"]

    def need(self, names: Ids) -> Positions:
        """Need these objects; return their positions in the listing."""
        positions = self.find(names)
        is_there = positions >= 0
        self.needed[positions[is_there]] = True
        for name in map(bytes, names[~is_there]):
            self.faults[name] = UNSAID if name in self._unsaid else MISSING
        return positions

    def name(self, position: int) -> bytes:
        """The object at a position in the listing."""
        return bytes(self.names[position])

    def is_of_dvc(self) -> NDArray[np.bool_]:
        """Which of the objects are of DVC: the names of those of Git LFS are longer."""
        # `numpy.char` has the lengths, but takes 40 ms to import.
        is_of_dvc: NDArray[np.bool_] = self.names == self.names.astype(f"S{ids.SIZE}")
        return is_of_dvc

    def compare_sizes(self) -> None:
        """Find the objects that have not the expected size."""
        wrong = self.needed & (self.expected != UNKNOWN) & (self.expected != self.sizes)
        for position in np.flatnonzero(wrong).tolist():
            size, expected = int(self.sizes[position]), int(self.expected[position])
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
            positions = positions[np.isin(self.tags[positions], tags)]
        return positions[~np.isin(self.names[positions], array_of(self.faults))]

    def read(self, remote: Remote, positions: Positions, notes: Notes) -> int:
        """Hash the objects at these positions, except noted ones; return how many were read.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        salt = salt_of(remote)
        faults, count = deep.check_unnoted(
            notes,
            self.names[positions],
            self.marks[positions],
            self.sizes[positions],
            lambda name: deep.content_fault(remote, name),
            lambda name: key_mark(salt, remote.key(name)),
        )
        self.faults |= faults
        return count


def says(tag: str | None, name: bytes, md5: Callable[[bytes], str] = ids.digest) -> int:
    """What an ETag says of the content: it is its MD5 unless it is encrypted or came in parts."""
    stored, promised = (tag or "").strip('"').lower(), md5(name)
    if stored == promised:
        return AS_NAMED
    return OTHER if len(stored) == len(promised) and "-" not in stored else NO_MD5


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
    listing = Listing(remote, {ids.folder(name) for name in sizes}, md5)
    positions = listing.need(array_of(sizes))
    is_there = positions >= 0
    listing.expected[positions[is_there]] = np.array([*sizes.values()], np.int64)[is_there]
    listing.compare_sizes()
    unproven = listing.sound(OTHER) if only_doubtful else listing.sound(OTHER, NO_MD5)
    listing.read(remote, unproven, Notes(project))
    return listing.faults
