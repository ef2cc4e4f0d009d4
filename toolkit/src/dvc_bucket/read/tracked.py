"""Files that DVC tracks, the objects that hold their bytes, and what the remote has of these."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import (
    ChecksumError,
    MissingObjectError,
    NotPushedError,
    NotTrackedError,
)
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.dvc.others import Origin
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from obstore import ObjectMeta

#: Objects that are looked up at once.
LOOKUPS = 32


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """A file that DVC tracks, alone or in a directory.

    Attributes:
        path: from the project's root.
        name: of its object.
        size: in bytes as DVC recorded it; None for a file in a directory.
        mean_size: of all files of the directory, in bytes; None if DVC did not record it.
        origin: where it was imported from, whose remote has its object; None if it was not.
    """

    path: str
    name: bytes
    size: int | None = None
    mean_size: int | None = None
    origin: Origin | None = None

    @property
    def expected_size(self) -> int | None:
        """The size, or the mean in the directory; None if DVC recorded neither."""
        return self.mean_size if self.size is None else self.size


@dataclass(frozen=True)
class TrackedData:
    """The files that DVC tracks at a path of a revision.

    Attributes:
        path: as it was asked for, from the project's root.
        rev: the revision as it was asked for; None for the workspace.
        commit: its full id; None for the workspace.
        files: in order of their paths; the path itself if that is a file.
        remote: that has the objects.
        cache: DVC's cache on this machine, which may have them.
        project: the reader's clone, which keeps the notes of proofs.
    """

    path: str
    rev: str | None
    commit: str | None
    files: Sequence[TrackedFile]
    remote: Remote
    cache: Path
    project: Project

    @property
    def title(self) -> str:
        """Path and revision for messages."""
        return self.path + (f" of {self.rev}" if self.rev else "")

    @property
    def is_file(self) -> bool:
        """Whether the path is a single file."""
        return [file.path for file in self.files] == [self.path]

    def owned(self, file: TrackedFile) -> "TrackedData":
        """The same with the remote that has the object of a file; errors as of `origins.remote`."""
        if file.origin is None:
            return self
        from dvc_bucket.read import origins

        return replace(self, remote=origins.remote(file.origin))

    def in_one_bucket(self) -> "TrackedData":
        """The same with the one remote that has all objects.

        Raises:
            NotTrackedError: there are several; or as `owned`.
        """
        first = self.owned(self.files[0])
        others = (self.owned(file).remote for file in self.files[1:])
        if any(remote != first.remote for remote in others):
            raise NotTrackedError(
                f"{self.title} has files in several buckets, because some are imported. Name a "
                "path in one of them; `bucket ls` lists the paths."
            )
        return first

    def cached(self, file: TrackedFile) -> Path:
        """Path of the file's copy in the cache, present or not."""
        return self.cache / ids.path(file.name)

    def key(self, file: TrackedFile) -> str:
        """Key of the file's object in the bucket."""
        return self.remote.key(file.name)

    def versions(self) -> "dict[str, ObjectMeta]":
        """Size, ETag and time, by path, of the objects on the remote.

        Raises:
            NotPushedError: one is not there.
            ChecksumError: one has another size than DVC recorded.
            TransferError: the store refused or could not be reached.
        """

        def look_up(file: TrackedFile) -> "ObjectMeta | None":
            remote = self.owned(file).remote
            try:
                with naming_failures(f"look up {file.path}", remote.settings):
                    version = remote.store.head(remote.key(file.name))
            except MissingObjectError:
                return None
            if file.size not in {None, version["size"]}:
                what = f"it has {version['size']:,} bytes, but DVC recorded {file.size:,}"
                raise self.damaged(file, what)
            return version

        with ThreadPoolExecutor(LOOKUPS) as pool, interruptible():
            answers = list(zip(self.files, pool.map(look_up, self.files), strict=True))
        if missing := [file for file, version in answers if version is None]:
            more = f" (and {len(missing) - 1:,} more of {len(answers):,})" if missing[1:] else ""
            raise self.not_pushed(missing[0], more)
        return {file.path: version for file, version in answers if version is not None}

    def sizes(self) -> dict[str, int]:
        """Size in bytes, by path, of the objects on the remote; errors as of `versions`."""
        return {path: version["size"] for path, version in self.versions().items()}

    def not_pushed(self, file: TrackedFile, more: str = "") -> NotPushedError:
        """The error for a file that is not on the remote."""
        if file.origin:
            return NotPushedError(
                f"{file.path} of {self.rev or 'the workspace'}{more} was imported from "
                f"{file.origin} and is not on that project's remote. Ask its publisher to push it."
            )
        return NotPushedError(
            f"{file.path} of {self.rev or 'the workspace'}{more} is not on the remote "
            f"{self.remote.address}. In a clone that has it: `bucket push`, or "
            f"`bucket verify{self._rev_option} --repair`."
        )

    def damaged(self, file: TrackedFile, what: str, *, is_cached: bool = False) -> ChecksumError:
        """The error for a file that has other content on the remote, or in the cache."""
        if file.origin and not is_cached:
            return ChecksumError(
                f"{file.path} of {self.rev or 'the workspace'} was imported from {file.origin} and "
                f"is damaged on that project's remote: {what}. Ask its publisher to repair it."
            )
        if is_cached:
            where = f"in the cache ({self.cached(file)})"
            fix = "`bucket verify --cache --repair` moves it aside; then run `bucket pull`."
        else:
            where = f"on the remote {self.remote.address}"
            fix = (
                "Repair it from a clone that has the data: "
                f"`bucket verify{self._rev_option} --deep --repair`."
            )
        return ChecksumError(
            f"{file.path} of {self.rev or 'the workspace'} is damaged {where}: {what}. {fix}"
        )

    def compare(self, file: TrackedFile, digest: str, *, is_cached: bool = False) -> None:
        """Compare the MD5 of a file's content with the recorded one.

        Raises:
            ChecksumError: they differ.
        """
        if digest != ids.md5(file.name):
            what = f"its content has the MD5 {digest}, but DVC recorded {ids.md5(file.name)}"
            raise self.damaged(file, what, is_cached=is_cached)

    @property
    def _rev_option(self) -> str:
        return f" --rev {self.rev}" if self.rev else ""


def inside(project: Project, path: str | Path) -> str:
    """A path from the project's root, with slashes; empty for the root itself.

    Raises:
        NotTrackedError: it is outside.
    """
    whole = Path(os.path.normpath(project.root / path))
    if not whole.is_relative_to(project.root):
        raise NotTrackedError(f"{path} is outside the project in {project.root}.")
    relative = whole.relative_to(project.root).as_posix()
    return "" if relative == "." else relative


def from_here(path: str) -> str:
    """A path from the current folder as one from the project's root; errors as of `inside`."""
    return inside(Project.find(), Path.cwd() / path)


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder, which may be empty for the root, or lies in it."""
    return not folder or path == folder or path.startswith(f"{folder}/")
