"""Everything that a remote lists."""

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.dvc.audit.notes import mark, salt_of
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.arrays import TYPE, Ids
from dvc_bucket.dvc.remote.place import Remote
from dvc_bucket.transfer.errors import naming_failures

#: Objects a request: what S3 gives at most.
BATCH = 1000

#: What an ETag says of the content: it is its MD5, it is another MD5, it is none.
AS_NAMED, OTHER, NO_MD5 = 1, 0, -1


class Listing:
    """Everything that the remote lists, as arrays in the order of the objects' names.

    Attributes:
        names: of the objects, sorted.
        sizes: in bytes.
        tags: what the ETags say of the contents.
        marks: a number for each version of each object: another one when it is written again.
        odd: keys in the folder of the objects that are none.
        odd_size: bytes of those.
    """

    def __init__(self, remote: Remote, *, with_legacy: bool) -> None:
        """Ask the store.

        Args:
            remote: which one.
            with_legacy: look for objects of the layout before DVC 3 too, which lie among
                everything else that is below the prefix.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        import obstore

        self.odd: list[str] = []
        self.odd_size = 0
        names, sizes, tags, marks = bytearray(), array("q"), array("b"), array("Q")
        root = f"{remote.prefix}/" if remote.prefix else ""
        below = root + ("" if with_legacy else ids.FOLDER)
        salt = salt_of(remote)
        with naming_failures(f"list {remote.address}", remote.settings):
            for batch in obstore.list(remote.store, below or None, chunk_size=BATCH):
                for item in batch:
                    name = ids.from_path(item["path"][len(root) :])
                    if name is None:
                        self._note_odd(item, root)
                        continue
                    names += name
                    sizes.append(item["size"])
                    tags.append(says(item["e_tag"], name))
                    marks.append(mark(salt, item))
        unsorted = np.frombuffer(bytes(names), TYPE)
        order = np.argsort(unsorted, kind="stable")
        self.names: Ids = unsorted[order]
        self.sizes: NDArray[np.int64] = np.frombuffer(sizes, np.int64)[order]
        self.tags: NDArray[np.int8] = np.frombuffer(tags, np.int8)[order]
        self.marks: NDArray[np.uint64] = np.frombuffer(marks, np.uint64)[order]

    def __len__(self) -> int:
        return len(self.names)

    def find(self, names: Ids) -> NDArray[np.intp]:
        """Where in the arrays the objects are; -1 for those that are not on the remote."""
        if not len(self.names):
            return np.full(len(names), -1, np.intp)
        places = np.searchsorted(self.names, names)
        places[places == len(self.names)] = 0
        return np.where(self.names[places] == names, places, -1)

    def place(self, name: bytes) -> int:
        """Where in the arrays one object is; -1 if it is not on the remote."""
        return int(self.find(np.array([name], TYPE))[0])

    def _note_odd(self, item: Any, root: str) -> None:
        path = item["path"]
        # An empty "folder" lingers in some stores' listings after its last object went.
        if path[len(root) :].startswith(ids.FOLDER) and not (item["size"] == 0 and "." not in path):
            self.odd.append(path)
            self.odd_size += item["size"]


def says(tag: str | None, name: bytes) -> int:
    """What an ETag says of the content: it is its MD5 unless it is encrypted or came in parts."""
    plain = (tag or "").strip('"').lower()
    if plain == ids.md5(name):
        return AS_NAMED
    return OTHER if len(plain) == len(ids.md5(name)) and "-" not in plain else NO_MD5
