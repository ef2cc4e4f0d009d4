"""The files of a revision: what is known of each without reading it, and its content.

A file comes from the work tree (where that is asked for), from git, from DVC's cache on this disk,
or else from the remote.
"""

import errno
import io
import os
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import NotTrackedError, ProjectError
from dvc_bucket.dvc.remote import ids
from dvc_bucket.git.contents import Entry, Repository
from dvc_bucket.git.revision import date_of, files_of, lacking
from dvc_bucket.read.content import Content, fetch
from dvc_bucket.read.names import Item, TreeNames
from dvc_bucket.read.proof import Proof
from dvc_bucket.read.tracked import TrackedFile
from dvc_bucket.read.tree import Dataset, Tree

if TYPE_CHECKING:
    from obstore import ObjectMeta


class NoSuchPathError(NotTrackedError, FileNotFoundError):
    """A path is not in the tracked tree of a revision; for fsspec, a missing file."""


class RevisionFiles:
    """The tracked files of a revision, those of git too, by path from the project's root.

    Args:
        tree: what DVC tracks.
        is_full: read nothing that was not hashed whole once.
    """

    def __init__(self, tree: Tree, *, is_full: bool) -> None:
        self._tree, self._is_full = tree, is_full
        self._versions: dict[str, ObjectMeta] = {}

    @cached_property
    def names(self) -> TreeNames:
        """The paths."""
        try:
            in_git = files_of(self._repository, self._tree.commit)
        except ProjectError:
            if self._tree.commit:
                raise
            in_git = {}  # a project of DVC without git
        return TreeNames(self._tree, in_git)

    def entry(self, path: str, *, is_exact: bool = False) -> dict[str, Any]:
        """What fsspec calls the information of a path: `name`, `size`, `type`, a hash.

        Args:
            path: of a file or folder.
            is_exact: ask the remote for a size that nothing on this disk tells; else it is None.

        Raises:
            NoSuchPathError: there is nothing.
            BucketError: the remote does not tell it.
        """
        item = self._item(path)
        if item is None:
            return {"name": path, "size": 0, "type": "directory"}
        entry: dict[str, Any] = {"name": path, "type": "file"}
        if place := self._in_workspace(path, item):
            return entry | {"size": place.stat().st_size}
        if isinstance(item, Entry):
            return entry | {"size": self._git_sizes.get(item.id), "git": item.id}
        if isinstance(item, Dataset):
            return entry | {"size": item.size}
        size = item.size
        if cached := self._on_disk(path, item):
            size = cached.stat().st_size
        elif size is None and is_exact:
            size = self._version(item)["size"]
        return entry | {"size": size, "md5": ids.md5(item.name)}

    def modified(self, path: str) -> datetime:
        """When a file was written, here or to the remote; of a file in git, the commit.

        Raises:
            BucketError: as `entry`.
        """
        item = self._item(path)
        if item and (place := self._on_disk(path, item)):
            return datetime.fromtimestamp(place.stat().st_mtime, UTC)
        if isinstance(item, TrackedFile):
            return self._version(item)["last_modified"]
        return datetime.fromisoformat(date_of(self._repository, self._tree.commit or "HEAD"))

    def whole(self, path: str, limit: int) -> bytes | None:
        """A file that only the remote has, with one request, if it is no larger than `limit` bytes.

        Raises:
            BucketError: as `open`.
        """
        item = self._item(path)
        if self._is_full or not isinstance(item, TrackedFile) or self._on_disk(path, item):
            return None
        content = fetch(self._proof(item), item, limit)
        return None if content is None else bytes(content)

    def open(self, path: str) -> BinaryIO | Content:
        """Open a file for reading bytes.

        Raises:
            NoSuchPathError: there is nothing.
            IsADirectoryError: it is a folder.
            NotPushedError: neither this disk nor the remote has it.
            ChecksumError: it is not what DVC recorded.
            TransferError: the store refused or could not be reached.
        """
        item = self._item(path)
        if item is None:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if place := self._in_workspace(path, item):
            return place.open("rb")
        if isinstance(item, Entry):
            return io.BytesIO(self._git_content(item))
        if isinstance(item, Dataset):
            raise NoSuchPathError(f"{path} cannot be read: it is {item.absence}.")
        proof = self._proof(item)
        if proof.data.cached(item).is_file():
            proof.check_cache()
            return Content(proof.data, item)
        version = self._version(item)
        proof.check(item, version)
        return Content(proof.data, item, version)

    @cached_property
    def _repository(self) -> Repository:
        return Repository.of(self._tree.project)

    @cached_property
    def _git_sizes(self) -> dict[str, int]:
        return self._repository.sizes(self.names.contents_in_git())

    def _item(self, path: str) -> Item | None:
        """What is at a path; None for a folder."""
        item = self.names.item(path)
        if item is None and self.names.children(path) is None:
            when = self._tree.rev or "the workspace"
            raise NoSuchPathError(f"Neither DVC nor git tracks {path} in {when}.")
        return item

    def _in_workspace(self, path: str, item: Item) -> Path | None:
        """The file of the workspace, where that is what is read."""
        if self._tree.commit or (self._is_full and not isinstance(item, Entry)):
            return None
        place = safe_paths.below(self._tree.project.root, path)
        return place if place.is_file() else None

    def _on_disk(self, path: str, item: Item) -> Path | None:
        """The file on this disk that has the content."""
        place = self._in_workspace(path, item)
        if place or not isinstance(item, TrackedFile):
            return place
        cached = self._tree.cache / ids.path(item.name)
        return cached if cached.is_file() else None

    def _version(self, file: TrackedFile) -> "ObjectMeta":
        """The object of a file: the same one as long as this lives."""
        if file.path not in self._versions:
            self._versions |= self._tree.data_of(file.path, [file]).versions()
        return self._versions[file.path]

    def _proof(self, file: TrackedFile) -> Proof:
        return Proof(self._tree.data_of(file.path, [file]), is_full=self._is_full)

    def _git_content(self, entry: Entry) -> bytes:
        with self._repository.contents() as contents:
            content = contents(entry.id)
        if content is None:
            raise lacking(entry.path)
        return content
