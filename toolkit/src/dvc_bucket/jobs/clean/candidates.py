"""Outputs that are in the workspace exactly as they are recorded, and the bucket that has them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.files import files_below
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.audit.cache import LocalCache
from dvc_bucket.dvc.audit.listing import proven
from dvc_bucket.dvc.remote import Lists, Remote, ids
from dvc_bucket.dvc.remote.outputs import name_of

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output

NOT_ASKED = "The bucket was not queried"

#: How a file looks without being read, from its status.
LOOK = attrgetter("st_ino", "st_size", "st_mtime_ns")


class Bucket:
    """The remotes of a project.

    Attributes:
        notes: why one could not be asked.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self.notes: list[str] = []
        self._remotes: dict[str | None, Remote | None] = {}

    def remote(self, name: str | None) -> Remote | None:
        """A remote; None if it cannot be reached, which is noted once."""
        if name not in self._remotes:
            self._remotes[name] = None
            try:
                remote = Remote.of(self._project, Settings.load(self._project), name)
                remote.check()
                self._remotes[name] = remote
            except BucketError as error:
                self.notes.append(f"{NOT_ASKED}: {error}")
        return self._remotes[name]

    def proven(self, name: str | None, objects: set[bytes]) -> set[bytes]:
        """Those of the objects that a remote holds for certain."""
        try:
            if objects and name != "" and (remote := self.remote(name)):
                return proven(self._project, remote, objects)
        except BucketError as error:
            self.notes.append(f"{NOT_ASKED}: {error}")
        return set()


@dataclass
class Candidate:
    """An output that is in the workspace as it is recorded.

    Attributes:
        dataset: its path from the project's root.
        path: of the file or folder.
        is_added: whether `dvc add` tracks it, or an import, and no stage makes it.
        remote: DVC's name of its remote; None for the default one; empty if it is never pushed.
        objects: all that it takes to bring it back; that of a folder has the list of its files.
        files: its files in the workspace, and the status of each before it was read.
        extra: files in its folder that are not recorded.
    """

    dataset: str
    path: Path
    is_added: bool
    remote: str | None
    objects: set[bytes]
    files: dict[Path, os.stat_result]
    extra: list[Path]


@dataclass
class Finder:
    """Compares outputs with their records.

    Attributes:
        cache: DVC's local cache.
        bucket: has the lists of directories that the cache does not have.
        spool: an empty folder for those.
    """

    cache: LocalCache
    bucket: Bucket
    spool: Path

    def candidate(self, dataset: str, out: "Output") -> Candidate | str:
        """An output whose content is the recorded one; for any other, why it is not."""
        path, is_added = Path(out.fs_path), out.stage.path.endswith(".dvc")
        differs = f"differs from {Path(out.stage.path).name if is_added else 'dvc.lock'}"
        remote = out.remote if out.can_push else ""
        try:
            name = name_of(out)
            members = self._members(name, remote) if ids.is_list(name) else [("", name)]
        except (ValueError, BucketError) as error:
            return str(error).partition(". ")[0]
        if members is None:
            return "the list of its files is neither in the cache nor in the bucket"
        if path.is_dir() != ids.is_list(name) or (path.is_symlink() and path.is_dir()):
            return differs
        recorded = {path / below if below else path: member for below, member in members}
        paths = files_below(path) if path.is_dir() else [path]
        statuses = {file: file.lstat() for file in paths}
        files = {file: recorded[file] for file in statuses if file in recorded}
        if not self._are_right(files):
            return differs
        return Candidate(
            dataset=dataset,
            path=path,
            is_added=is_added,
            remote=remote,
            objects={name, *files.values()},
            files={file: statuses[file] for file in files},
            extra=[*statuses.keys() - files],
        )

    def _members(self, name: bytes, remote: str | None) -> list[tuple[str, bytes]] | None:
        """Path and name of a folder's objects; None if no good copy of the list is anywhere."""
        members = Lists(self.cache.folder, None, self.spool).members(name)
        if members is None and (there := self.bucket.remote(remote)):
            return Lists(self.cache.folder, there, self.spool).members(name)
        return members

    def _are_right(self, files: Mapping[Path, bytes]) -> bool:
        """Whether each file has the content of its object."""
        linked = set()
        try:
            for file, name in files.items():
                cached = self.cache.path(name)
                if cached.exists() and file.samefile(cached):
                    linked.add(name)
                # A link to elsewhere is somebody's own: its data is not ours to remove.
                elif not file.is_file() or file.is_symlink() or not ids.is_right(file, name):
                    return False
        except OSError:
            return False
        # A write through a link to the cache changes both, so the object itself is read.
        return linked == self.cache.sound(linked)
