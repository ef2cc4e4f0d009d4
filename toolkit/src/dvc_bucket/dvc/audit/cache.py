"""DVC's local cache: is the content of its objects what their names promise?

A write through a hard link changes an object of the cache under its old name. DVC does not read an
object again that is read-only, and takes it for right. Here each object is read once and noted by
path, time, size and inode; it is read again after one of these changed.
"""

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import PRIVATE_FOLDER
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted
from dvc_bucket.dvc.audit import deep
from dvc_bucket.dvc.audit.needed import file_md5
from dvc_bucket.dvc.audit.notes import Notes, key_mark, note
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.dvc.remote.outputs import name_of, opened, outputs

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output

#: Folder of the cache for damaged objects that were moved aside. DVC never looks there.
ASIDE = "damaged"

#: What restores them.
REPAIR = "`bucket verify --cache --repair` moves them out of DVC's sight. It deletes nothing."
RESTORE = (
    "`bucket fetch` then brings the right content from the bucket. Files in the workspace may be "
    "wrong, too: `bucket status` names them, `bucket checkout --force PATH` replaces them."
)

#: Damaged objects that are named one by one.
MAX_LISTED_OBJECTS = 20


@dataclass(frozen=True, slots=True)
class Damaged:
    """An object whose content is not what its name promises.

    Attributes:
        object: its path below the cache folder.
        paths: what the workspace calls the data, as far as that is known.
        moved_to: where the object is now; None if it was left in its place.
    """

    object: str
    paths: list[str]
    moved_to: str | None = None


@dataclass
class CacheReport:
    """What was found.

    Attributes:
        folder: of the cache.
        objects: how many it has.
        read: how many were read now.
        damaged: what is wrong.
    """

    folder: Path
    objects: int
    read: int
    damaged: list[Damaged] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every object that DVC sees is right."""
        return all(one.moved_to for one in self.damaged)

    def as_json(self) -> str:
        """What was found, for a program."""
        found = dataclasses.asdict(self) | {"ok": self.ok, "folder": str(self.folder)}
        return json.dumps(found, indent=2)

    def __str__(self) -> str:
        count = counted(self.objects, "object")
        if not self.damaged:
            return f"The cache is right: {count}, {self.read:,} of them read now, in {self.folder}."
        lines = [f"{len(self.damaged):,} of {count} in {self.folder} are damaged:"]
        for one in self.damaged[:MAX_LISTED_OBJECTS]:
            paths = ", ".join(one.paths) or "not needed by the files as they are"
            moved = f"; now in {one.moved_to}" if one.moved_to else ""
            lines.append(f"  {one.object}  {paths}{moved}")
        if len(self.damaged) > MAX_LISTED_OBJECTS:
            lines.append(
                f"  and {len(self.damaged) - MAX_LISTED_OBJECTS:,} more; --json names all."
            )
        lines += [] if self.ok else [REPAIR]
        return "\n".join([*lines, RESTORE])


class LocalCache:
    """The objects of a cache folder, each known by its name.

    Attributes:
        read: how many objects were read.
    """

    def __init__(self, project: Project, folder: Path) -> None:
        self._folder, self._notes = folder, Notes(project)
        self.read = 0

    def path(self, name: bytes) -> Path:
        """Where an object is, or would be."""
        return self._folder / ids.path(name)

    def names(self) -> list[bytes]:
        """All objects.

        Raises:
            PermissionError: a folder of the cache cannot be listed.
        """
        found = []
        for layout in (self._folder / ids.FOLDER, self._folder):
            for folder in _listed(layout):
                for path in _listed(folder) if len(folder.name) == 2 else ():
                    if name := ids.from_path(path.relative_to(self._folder).as_posix()):
                        found.append(name)
        return found

    def unread(self, names: Iterable[bytes]) -> dict[bytes, int]:
        """Bytes of those objects that are there and were not read, or changed since."""
        known = set(self._notes.read().tolist())
        return {
            name: size for name, (mark, size) in self._marks(names).items() if mark not in known
        }

    def sound(self, names: Iterable[bytes]) -> set[bytes]:
        """Those of the objects that are there with the right content; reads the unread ones."""
        there = self._marks(names)
        known = set(self._notes.read().tolist())
        good = {name for name, (mark, _) in there.items() if mark in known}
        left = [name for name in there if name not in good]
        total = sum(there[name][1] for name in left)
        with (
            self._notes.appending() as file,
            closing(deep.bar(total)) as shown,
            ThreadPoolExecutor(os.cpu_count()) as pool,
        ):
            for name, is_right in zip(left, pool.map(self._is_right, left), strict=True):
                mark, size = there[name]
                if is_right:
                    good.add(name)
                    note(file, mark, key_mark("cache\0", str(self.path(name))))
                shown.update(size)
        self.read += len(left)
        return good

    def move_aside(self, name: bytes) -> Path:
        """Take an object out of DVC's sight and keep its bytes; return where they are."""
        folder = self._folder / ASIDE
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        number, target = 0, folder / ids.oid(name)
        while target.exists():
            number += 1
            target = folder / f"{ids.oid(name)}.{number}"
        self.path(name).rename(target)
        return target

    def _marks(self, names: Iterable[bytes]) -> dict[bytes, tuple[int, int]]:
        """For each object that is there: a number for how it looks now, and its size."""
        return {name: found for name in dict.fromkeys(names) for found in self._mark(name)}

    def _mark(self, name: bytes) -> Iterator[tuple[int, int]]:
        path = self.path(name)
        try:
            look = path.stat()
        except OSError:
            return
        version = f"cache\0{path}\0{look.st_size}\0{look.st_mtime_ns}\0{look.st_ino}"
        digest = blake2b(os.fsencode(version), digest_size=8).digest()
        yield int.from_bytes(digest, "big"), look.st_size

    def _is_right(self, name: bytes) -> bool:
        try:
            return file_md5(self.path(name), name) == ids.md5(name)
        except OSError:
            return False


def _listed(folder: Path) -> list[Path]:
    """What is in a folder; nothing if there is no such folder, or not any more."""
    try:
        return [*folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def check(project: Project, *, repair: bool = False) -> CacheReport:
    """Compare the cache's objects with their names; read only those that changed since last time.

    Args:
        project: the clone.
        repair: move damaged objects aside, so that DVC fetches them again. Nothing is deleted.

    Raises:
        ProjectError: DVC cannot open the project, or this user cannot read an object.
        OSError: a damaged object cannot be moved, or a folder of the cache cannot be listed.
    """
    with opened(project) as repo:
        folder = Path(repo.cache.legacy.path)
        cache = LocalCache(project, folder)
        names = cache.names()
        bad = sorted(set(names) - cache.sound(names))
        for name in bad:
            if not os.access(cache.path(name), os.R_OK) and cache.path(name).exists():
                raise ProjectError(
                    f"The object {cache.path(name)} could not be checked: you may not read it. "
                    "Give yourself the right: `chmod u+r`."
                )
        report = CacheReport(folder, len(names), cache.read)
        if not bad:
            return report
        lists = Lists(folder, None, folder)
        called: dict[bytes, list[str]] = {name: [] for name in bad}
        for dataset, out in outputs(repo):
            for name, path in _objects(dataset, out, lists):
                if name in called:
                    called[name].append(path)
    for name in bad:
        moved = str(cache.move_aside(name)) if repair else None
        report.damaged.append(Damaged(ids.path(name), called[name], moved))
    return report


def _objects(dataset: str, out: "Output", lists: Lists) -> Iterator[tuple[bytes, str]]:
    """Name and path of an output's objects, as far as its list can be read here."""
    try:
        name = name_of(out)
    except ValueError:  # not recorded yet
        return
    yield name, dataset
    if ids.is_list(name):
        for path, member in lists.members(name) or ():
            yield member, f"{dataset}/{path}"
