"""`bucket lfs prune`: local copies of objects go once the bucket's copies are proven.

`git lfs prune --verify-remote` cannot do it: git-lfs never asks a standalone agent, and takes every
object for verified.
"""

from dataclasses import dataclass, field
from pathlib import Path

from dvc_bucket.base.files import readable_size
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc.audit import lfs
from dvc_bucket.dvc.audit.findings import Fault
from dvc_bucket.dvc.remote.place import Remote
from dvc_bucket.git import lfs_layout as layout
from dvc_bucket.git.contents import Repository

#: Objects that are named one by one.
MAX_LISTED_OBJECTS = 10


@dataclass
class Pruned:
    """What became of the local copies.

    Attributes:
        removed: how many.
        size: of those, in bytes.
        in_use: how many are checked out, and so stay.
        faults: why others stay, by SHA-256.
        is_dry: nothing was removed.
    """

    removed: int = 0
    size: int = 0
    in_use: int = 0
    faults: dict[str, Fault] = field(default_factory=dict)
    is_dry: bool = False

    def __str__(self) -> str:
        verb = "Would remove" if self.is_dry else "Removed"
        lines = [
            f"{verb} {self.removed:,} local objects ({readable_size(self.size)}), which the bucket "
            f"has. Kept {self.in_use:,} that are checked out.",
        ]
        if self.faults:
            lines.append(f"Kept {len(self.faults):,} that may exist only here:")
            for oid, fault in list(self.faults.items())[:MAX_LISTED_OBJECTS]:
                lines.append(f"  {oid}: {fault.kind}{f', {fault.detail}' if fault.detail else ''}")
            if len(self.faults) > MAX_LISTED_OBJECTS:
                lines.append(f"  and {len(self.faults) - MAX_LISTED_OBJECTS:,} more")
            lines.append("`bucket verify --lfs --all-commits --repair` sends those of commits.")
        return "\n".join(lines)


def prune(project: Project, settings: Settings, remote: str | None, *, is_dry: bool) -> Pruned:
    """Remove local objects that this work tree does not need and the bucket is proven to have.

    An object is proven if its ETag is the MD5 of the local copy, or if its content was read and has
    the SHA-256 that is its name.

    Args:
        project: in the clone.
        settings: the connection.
        remote: DVC's name of it; None for the default one.
        is_dry: only tell.

    Raises:
        ProjectError: there is no git repository, or the remote is not one in S3.
        TransferError: the store refused or could not be reached.
    """
    repository = Repository.of(project)
    check = lfs.Check(project, Remote.of(project, settings, remote), deep=True)
    pruned = Pruned(is_dry=is_dry)
    local = _local(layout.storage(repository) / "objects")
    for pointer in check.pointers({entry.id for entry in repository.tracked()}).values():
        pruned.in_use += local.pop(pointer.oid, None) is not None
    pruned.faults = check.compare(local, lambda oid: dvc_hashes.of_file(local[oid]))
    for oid, path in local.items():
        if oid not in pruned.faults:
            pruned.removed += 1
            pruned.size += path.stat().st_size
            if not is_dry:
                path.unlink()
    return pruned


def _local(folder: Path) -> dict[str, Path]:
    """git-lfs's copies, by SHA-256."""
    return {
        path.name: path
        for path in sorted(folder.glob("??/??/*"))
        if len(path.name) == 64 and path.is_file()
    }
