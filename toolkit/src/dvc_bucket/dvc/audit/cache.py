"""DVC's local cache: is the content of its objects what their names promise?

A write through a hard link changes an object of the cache under its old name. DVC does not read an
object again that is read-only, and takes it for right. Here each object is read once and noted by
path, time, size and inode; it is read again after one of these changed.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from dvc_bucket.base.files import PRIVATE_FOLDER
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit import deep
from dvc_bucket.dvc.audit.findings import ObjectFault
from dvc_bucket.dvc.audit.notes import Notes, key_mark
from dvc_bucket.dvc.remote import ids

#: Folder of the cache for damaged objects that were moved aside. DVC never looks there.
ASIDE = "damaged"

#: Tells notes of the cache from those of remotes.
SALT = "cache\0"


class LocalCache:
    """The objects of a cache folder, each known by its name.

    Attributes:
        folder: of the cache.
        read: how many objects were read.
    """

    def __init__(self, project: Project, folder: Path) -> None:
        self.folder, self._notes = folder, Notes(project)
        self.read = 0

    def path(self, name: bytes) -> Path:
        """Where an object is, or would be."""
        return self.folder / ids.path(name)

    def names(self) -> list[bytes]:
        """All objects.

        Raises:
            PermissionError: a folder of the cache cannot be listed.
        """
        layouts = (self.folder / ids.FOLDER, self.folder)
        folders = (path for layout in layouts for path in _listed(layout) if len(path.name) == 2)
        paths = (path.relative_to(self.folder) for folder in folders for path in _listed(folder))
        return [name for path in paths if (name := ids.from_path(path.as_posix()))]

    def unread(self, names: Iterable[bytes]) -> dict[bytes, int]:
        """Bytes of those objects that are there and were not read, or changed since."""
        noted = {*self._notes.read().tolist()}
        looks = self._looks(names)
        return {name: size for name, (mark, size) in looks.items() if mark not in noted}

    def sound(self, names: Iterable[bytes]) -> set[bytes]:
        """Those of the objects that are there with the right content; reads the unread ones."""
        looks = self._looks(names)
        return looks.keys() - self._faults(looks).keys()

    def faults(self, names: Iterable[bytes]) -> dict[bytes, ObjectFault]:
        """What is wrong with those of the objects that are there; reads the unread ones."""
        return self._faults(self._looks(names))

    def _faults(self, looks: Mapping[bytes, tuple[int, int]]) -> dict[bytes, ObjectFault]:
        faults, count = deep.check_unnoted(
            self._notes,
            [*looks],
            np.array([mark for mark, _ in looks.values()], np.uint64),
            np.array([size for _, size in looks.values()], np.int64),
            self._examine,
            lambda name: key_mark(SALT, str(self.path(name))),
        )
        self.read += count
        return faults

    def move_aside(self, name: bytes) -> Path:
        """Take an object out of DVC's sight and keep its bytes; return where they are."""
        folder = self.folder / ASIDE
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        number, target = 0, folder / ids.oid(name)
        while target.exists():
            number += 1
            target = folder / f"{ids.oid(name)}.{number}"
        self.path(name).rename(target)
        return target

    def _looks(self, names: Iterable[bytes]) -> dict[bytes, tuple[int, int]]:
        """For each object that is there: a number for how it looks now, and its size."""
        looks = {}
        for name in dict.fromkeys(names):
            path = self.path(name)
            try:
                look = path.stat()
            except OSError:
                continue
            version = f"{path}\0{look.st_size}\0{look.st_mtime_ns}\0{look.st_ino}"
            looks[name] = key_mark(SALT, version), look.st_size
        return looks

    def _examine(self, name: bytes) -> ObjectFault | None:
        try:
            return None if ids.is_right(self.path(name), name) else ObjectFault("corrupt")
        except OSError as error:
            return ObjectFault("not checked", error.strerror or type(error).__name__)


def _listed(folder: Path) -> list[Path]:
    """What is in a folder; nothing if there is no such folder, or not any more."""
    try:
        return [*folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
