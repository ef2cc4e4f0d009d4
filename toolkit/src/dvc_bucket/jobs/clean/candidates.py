"""Outputs that are in the workspace exactly as they are recorded."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.files import files_below
from dvc_bucket.dvc.audit.cache import LocalCache
from dvc_bucket.dvc.audit.needed import file_md5
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.outputs import name_of
from dvc_bucket.jobs.clean.elsewhere import FolderLists

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output


@dataclass
class Candidate:
    """An output that is in the workspace as it is recorded.

    Attributes:
        dataset: its path from the project's root.
        path: of the file or folder.
        is_added: whether `dvc add` tracks it, or an import, and no stage makes it.
        remote: DVC's name of its remote; None for the default one; empty if it is never pushed.
        objects: all that it takes to bring it back; that of a folder has the list of its files.
        files: its files in the workspace, and how each looked before it was read.
        extra: files in its folder that are not recorded.
    """

    dataset: str
    path: Path
    is_added: bool
    remote: str | None
    objects: set[bytes]
    files: dict[Path, os.stat_result]
    extra: list[Path]


def candidate(
    dataset: str, out: "Output", cache: LocalCache, lists: FolderLists
) -> Candidate | str:
    """An output whose content is the recorded one; for any other, why it is not."""
    path, is_added = Path(out.fs_path), out.stage.path.endswith(".dvc")
    differs = f"differs from {Path(out.stage.path).name if is_added else 'dvc.lock'}"
    remote = out.remote if out.can_push else ""
    try:
        name = name_of(out)
        members = lists.members(name, remote) if ids.is_list(name) else [("", name)]
    except (ValueError, BucketError) as error:
        return str(error).partition(". ")[0]
    if members is None:
        return "the list of its files is neither in the cache nor in the bucket"
    if path.is_dir() != ids.is_list(name) or (path.is_symlink() and path.is_dir()):
        return differs
    known = {path / below if below else path: member for below, member in members}
    looks = {file: file.lstat() for file in (files_below(path) if path.is_dir() else [path])}
    files = {file: look for file, look in looks.items() if file in known}
    if not _are_as_recorded({file: known[file] for file in files}, cache):
        return differs
    objects = {name, *(known[file] for file in files)}
    return Candidate(dataset, path, is_added, remote, objects, files, [*looks.keys() - files])


def _are_as_recorded(files: dict[Path, bytes], cache: LocalCache) -> bool:
    """Whether each file has the content of its object."""
    try:
        linked = {file for file, name in files.items() if _is_link(file, cache.path(name))}
        for file, name in files.items():
            if file in linked:
                continue
            # A link to elsewhere is somebody's own: its data is not ours to remove.
            if not file.is_file() or file.is_symlink() or file_md5(file, name) != ids.md5(name):
                return False
    except OSError:
        return False
    # A write through a link to the cache changes both, so the object itself is read.
    names = {files[file] for file in linked}
    return names == cache.sound(names)


def _is_link(file: Path, cached: Path) -> bool:
    return cached.exists() and file.samefile(cached)
