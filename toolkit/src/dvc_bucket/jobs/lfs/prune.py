"""`bucket lfs prune`: removes local copies of objects that the bucket is proven to have.

`git lfs prune --verify-remote` cannot do it: git-lfs never asks a standalone agent, and takes every
object for verified.
"""

from dataclasses import dataclass, field
from pathlib import Path

from dvc_bucket.base.files import readable_size
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import shortened
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc.audit import lfs
from dvc_bucket.dvc.audit.findings import ObjectFault
from dvc_bucket.dvc.audit.listing import faults
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.git import lfs_layout as layout
from dvc_bucket.git.contents import Repository

#: Objects that are named one by one.
MAX_LISTED_OBJECTS = 10


@dataclass
class Pruned:
    """The result.

    Attributes:
        removed: how many.
        size: of those, in bytes.
        in_use: how many are checked out, and so stay.
        faults: why others stay, by object.
        is_dry: nothing was removed.
    """

    removed: int = 0
    size: int = 0
    in_use: int = 0
    faults: dict[bytes, ObjectFault] = field(default_factory=dict)
    is_dry: bool = False

    def __str__(self) -> str:
        verb = "Would remove" if self.is_dry else "Removed"
        lines = [
            f"{verb} {self.removed:,} local objects ({readable_size(self.size)}) that are in the "
            f"bucket. Kept {self.in_use:,} that are checked out.",
        ]
        if self.faults:
            lines.append(f"Kept {len(self.faults):,} that may exist only here:")
            kept = [f"  {ids.digest(name)}: {fault}" for name, fault in self.faults.items()]
            lines += shortened(kept, MAX_LISTED_OBJECTS)
            lines.append("`bucket verify --lfs --all-commits --repair` uploads those of commits.")
        return "\n".join(lines)


def prune(project: Project, settings: Settings, remote: str | None, *, is_dry: bool) -> Pruned:
    """Remove local objects that this work tree does not need and the bucket is proven to have.

    An object is proven if its ETag is the MD5 of the local copy, or if its content was read and has
    the SHA-256 that is its name.

    Args:
        project: in the clone.
        settings: the connection.
        remote: DVC's name of it; None for the default one.
        is_dry: remove nothing.

    Raises:
        ProjectError: there is no git repository, or the remote is not one in S3.
        TransferError: the store refused or could not be reached.
    """
    repository = Repository.of(project)
    copies = _copies(layout.storage(repository) / "objects")
    pruned, is_there = Pruned(is_dry=is_dry), Remote.of(project, settings, remote)
    pointers = lfs.pointers_in(repository, {entry.id for entry in repository.tracked()})
    in_use = copies.keys() & {ids.of_lfs(pointer.oid) for pointer in pointers.values()}
    for name in in_use:
        del copies[name]
    pruned.in_use = len(in_use)
    sizes = {name: path.stat().st_size for name, path in copies.items()}
    pruned.faults = faults(project, is_there, sizes, md5=lambda name: _md5(copies.get(name)))
    for name in sizes.keys() - pruned.faults.keys():
        pruned.removed += 1
        pruned.size += sizes[name]
        if not is_dry:
            copies[name].unlink()
    return pruned


def _copies(folder: Path) -> dict[bytes, Path]:
    """git-lfs's copies, by object."""
    paths = {path.relative_to(folder): path for path in sorted(folder.glob("??/??/*"))}
    return {
        name: path
        for below, path in paths.items()
        if (name := ids.from_path(f"{layout.FOLDER}{below.as_posix()}")) and path.is_file()
    }


def _md5(copy: Path | None) -> str:
    """The MD5 of a local copy, which the ETag of its object is compared with."""
    return dvc_hashes.of_file(copy) if copy else ""
