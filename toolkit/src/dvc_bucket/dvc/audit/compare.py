"""What is needed against what the remote lists: keys and sizes, nothing read but the doubtful."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.dvc.audit.findings import Fault, Need
from dvc_bucket.dvc.audit.listing import AS_NAMED, OTHER, Listing
from dvc_bucket.dvc.audit.needed import file_md5
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.arrays import Ids, array_of
from dvc_bucket.dvc.remote.lists import Lists

MISSING = Fault("missing")
MISSING_LIST = Fault("missing", "the list of its files, which no copy here tells either")

#: Nobody noted the size.
UNKNOWN = -1


@dataclass
class Survey:
    """What is known of the needed objects.

    Attributes:
        listing: what the remote lists.
        needed: which of that is needed.
        faults: what is wrong, by object.
        sums: sizes of directories of which all objects are there and do not add up to the size
            that was noted: what they add up to, and what was noted.
    """

    listing: Listing
    needed: NDArray[np.bool_] = field(init=False)
    expected: NDArray[np.int64] = field(init=False)
    faults: dict[bytes, Fault] = field(default_factory=dict)
    sums: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.needed = np.zeros(len(self.listing), np.bool_)
        self.expected = np.full(len(self.listing), UNKNOWN, np.int64)

    def sound(self) -> NDArray[np.intp]:
        """Where in the listing the needed objects are of which no fault is known."""
        places = np.flatnonzero(self.needed)
        return places[~np.isin(self.listing.names[places], array_of(self.faults))]

    def doubtful(self) -> NDArray[np.intp]:
        """Those of them whose ETag is an MD5, and not the one that their name promises.

        Such an object is another than it should be, or encrypted by the store.
        """
        sound = self.sound()
        found: NDArray[np.intp] = sound[self.listing.tags[sound] == OTHER]
        return found

    def name(self, place: int) -> bytes:
        """The object at a place in the listing."""
        return bytes(self.listing.names[place])


def survey(needs: Iterable[Need], listing: Listing, lists: Lists, cache: Path) -> Survey:
    """Compare the keys and sizes of what is needed with what the remote lists.

    Sizes are those that DVC noted, of single files and of directories as a whole; of a file in a
    directory, that of the copy in the local cache. They are looked up there only where the ETag
    does not say already that the store holds the right content.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    found = Survey(listing)
    done: set[bytes] = set()
    for need in needs:
        if need.name not in done:
            done.add(need.name)
            _look_up(need, found, lists)
    _compare_sizes(found, cache)
    return found


def _look_up(need: Need, found: Survey, lists: Lists) -> None:
    """Find an object and, if it is the list of a directory, all that it tells."""
    place = found.listing.place(need.name)
    if place >= 0:
        found.needed[place] = True
    if not ids.is_list(need.name):
        if place < 0:
            found.faults[need.name] = MISSING
        elif need.size is not None:
            found.expected[place] = need.size
        return
    names, size = lists.names(need.name), lists.size(need.name)
    if names is None or size is None:
        corrupt = Fault("corrupt", "the list of its files is damaged, so they cannot be named")
        found.faults[need.name] = MISSING_LIST if place < 0 else corrupt
        return
    if place < 0:
        found.faults[need.name] = MISSING
    else:
        found.expected[place] = size
    _look_up_files(need, names, found)


def _look_up_files(need: Need, names: Ids, found: Survey) -> None:
    """Find the files of a directory, and add up their sizes."""
    places = found.listing.find(names)
    is_there = places >= 0
    found.needed[places[is_there]] = True
    found.faults.update((bytes(name), MISSING) for name in names[~is_there])
    if need.size is not None and is_there.all():
        total = int(found.listing.sizes[places].sum())
        if total != need.size:
            found.sums[need.name] = (total, need.size)


def _compare_sizes(found: Survey, cache: Path) -> None:
    """Note the objects whose size is not the expected one."""
    unknown = found.needed & (found.expected == UNKNOWN) & (found.listing.tags != AS_NAMED)
    for place in np.flatnonzero(unknown).tolist():
        found.expected[place] = _size_in_cache(found.name(place), cache, found, place)
    wrong = found.needed & (found.expected != UNKNOWN) & (found.expected != found.listing.sizes)
    for place in np.flatnonzero(wrong).tolist():
        size, expected = int(found.listing.sizes[place]), int(found.expected[place])
        found.faults[found.name(place)] = wrong_size(size, expected)


def wrong_size(size: int, expected: int) -> Fault:
    """The fault of an object that has not as many bytes as it should."""
    return Fault("truncated" if size < expected else "wrong size", f"{size} of {expected} bytes")


def _size_in_cache(name: bytes, cache: Path, found: Survey, place: int) -> int:
    """Size of the local copy; one that differs from the remote's counts if its hash is right."""
    path = cache / ids.path(name)
    try:
        size = path.stat().st_size
        differs = size != found.listing.sizes[place]
        return UNKNOWN if differs and file_md5(path, name) != ids.md5(name) else size
    except OSError:
        return UNKNOWN
