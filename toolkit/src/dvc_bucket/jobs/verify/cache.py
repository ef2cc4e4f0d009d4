"""`bucket verify --cache`: names the damaged objects of DVC's local cache, and moves them aside."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import NotCheckedError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted, shortened
from dvc_bucket.dvc.audit.cache import LocalCache
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.dvc.remote.outputs import name_of, opened, outputs

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

#: What restores damaged objects.
REPAIR = (
    "`bucket verify --cache --repair` moves them aside, where DVC does not use them. It "
    "deletes nothing."
)
RESTORE = (
    "`bucket fetch` then downloads intact copies from the bucket. Files in the workspace may be "
    "damaged, too: `bucket status` lists them, `bucket checkout --force PATH` replaces them."
)

#: Damaged objects that are named one by one.
MAX_LISTED_OBJECTS = 20


@dataclass(frozen=True, slots=True)
class DamagedObject:
    """An object whose content is not the one that its name promises.

    Attributes:
        object: its path below the cache folder.
        paths: the paths in the workspace that need it, as far as they are known.
        moved_to: where the object is now; None if it was left in its place.
    """

    object: str
    paths: list[str]
    moved_to: str | None = None


@dataclass
class CacheReport:
    """The state of a cache.

    Attributes:
        folder: of the cache.
        objects: how many it has.
        read: how many were read now.
        damaged: what is wrong.
    """

    folder: Path
    objects: int
    read: int
    damaged: list[DamagedObject] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every object that DVC sees is right."""
        return all(damaged.moved_to for damaged in self.damaged)

    def as_json(self) -> str:
        """The report as JSON."""
        values = dataclasses.asdict(self) | {"ok": self.ok, "folder": str(self.folder)}
        return json.dumps(values, indent=2)

    def __str__(self) -> str:
        count = counted(self.objects, "object")
        if not self.damaged:
            return (
                f"The cache is intact: {count}, {self.read:,} of them read now, in {self.folder}."
            )
        lines = []
        for damaged in self.damaged:
            paths = ", ".join(damaged.paths) or "not needed by the current files"
            moved = f"; now in {damaged.moved_to}" if damaged.moved_to else ""
            lines.append(f"  {damaged.object}  {paths}{moved}")
        head = f"{len(self.damaged):,} of {count} in {self.folder} are damaged:"
        listed = shortened(lines, MAX_LISTED_OBJECTS, "; --json lists all.")
        return "\n".join([head, *listed, *([] if self.ok else [REPAIR]), RESTORE])


def check(project: Project, *, repair: bool = False) -> CacheReport:
    """Compare the cache's objects with their names; read only those that changed since last time.

    Args:
        project: the clone.
        repair: move damaged objects aside, so that DVC fetches them again. Nothing is deleted.

    Raises:
        ProjectError: DVC cannot open the project.
        NotCheckedError: an object cannot be read.
        OSError: a damaged object cannot be moved, or a folder of the cache cannot be listed.
    """
    with opened(project) as repo:
        folder = Path(repo.cache.legacy.path)
        cache = LocalCache(project, folder)
        names = cache.names()
        faults = cache.faults(names)
        paths: dict[bytes, list[str]] = {name: [] for name in sorted(faults)}
        for name in paths:
            if faults[name].kind == "not checked":
                raise NotCheckedError(
                    f"The object {cache.path(name)} could not be read ({faults[name].detail}), so "
                    "the cache is not checked. Give yourself permission (`chmod u+r`), or repair "
                    "the disk."
                )
        for name, path in _objects(repo, folder) if paths else ():
            if name in paths:
                paths[name].append(path)
    report = CacheReport(folder, len(names), cache.read)
    for name in paths:
        moved = str(cache.move_aside(name)) if repair else None
        report.damaged.append(DamagedObject(ids.path(name), paths[name], moved))
    return report


def _objects(repo: "Repo", folder: Path) -> Iterator[tuple[bytes, str]]:
    """Name and path of the objects of all outputs, as far as their lists can be read here."""
    lists = Lists(folder, None, folder)
    for dataset, out in outputs(repo):
        try:
            name = name_of(out)
        except ValueError:  # not recorded yet
            continue
        yield name, dataset
        for path, member in (ids.is_list(name) and lists.members(name)) or ():
            yield member, f"{dataset}/{path}"
