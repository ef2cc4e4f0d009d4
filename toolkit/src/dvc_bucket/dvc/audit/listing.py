"""Everything that a remote lists."""

from array import array
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.dvc.audit.notes import mark, salt_of
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.arrays import Ids, array_of
from dvc_bucket.dvc.remote.connection import Remote
from dvc_bucket.transfer.errors import naming_failures

#: Objects a request: what S3 gives at most.
BATCH = 1000

#: What an ETag says of the content: it is its MD5, it is another MD5, it is none.
AS_NAMED, OTHER, NO_MD5 = 1, 0, -1

#: Positions in the arrays of a listing; -1 for what is not on the remote.
Positions = NDArray[np.intp]


class Listing:
    """What the remote lists, as arrays in the order of the objects' names.

    Attributes:
        names: of the objects, sorted.
        sizes: in bytes.
        tags: what the ETags say of the contents.
        marks: a number for each version of each object, which changes when it is written again.
        odd: keys in DVC's folder of objects that are none.
        odd_size: bytes of those.
    """

    def __init__(
        self, remote: Remote, folders: Collection[str], md5: Callable[[bytes], str] = ids.digest
    ) -> None:
        """Ask the store.

        Args:
            remote: which one.
            folders: below its prefix, as `ids.folder` has them. The empty one is that of the layout
                before DVC 3, whose objects lie among everything else.
            md5: the MD5 of an object's content, which its ETag is compared with.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        import obstore

        self.odd: list[str] = []
        self.odd_size = 0
        names, sizes, tags, marks = list[bytes](), array("q"), array("b"), array("Q")
        root, salt = f"{remote.prefix}/" if remote.prefix else "", salt_of(remote)
        for folder in [""] if "" in folders else folders:
            with naming_failures(f"list {remote.address}", remote.settings):
                for batch in obstore.list(remote.store, root + folder or None, chunk_size=BATCH):
                    for item in batch:
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

    def __len__(self) -> int:
        return len(self.names)

    def find(self, names: Ids) -> Positions:
        """Positions of objects."""
        if not len(self.names):
            return np.full(len(names), -1, np.intp)
        positions = np.searchsorted(self.names, names)
        positions[positions == len(self.names)] = 0
        return np.where(self.names[positions] == names, positions, -1)

    def _note_odd(self, item: Any, root: str) -> None:
        path = item["path"]
        # An empty "folder" lingers in some stores' listings after its last object went.
        if path[len(root) :].startswith(ids.FOLDER) and not (item["size"] == 0 and "." not in path):
            self.odd.append(path)
            self.odd_size += item["size"]


def says(tag: str | None, name: bytes, md5: Callable[[bytes], str] = ids.digest) -> int:
    """What an ETag says of the content: it is its MD5 unless it is encrypted or came in parts."""
    stored, promised = (tag or "").strip('"').lower(), md5(name)
    if stored == promised:
        return AS_NAMED
    return OTHER if len(stored) == len(promised) and "-" not in stored else NO_MD5
