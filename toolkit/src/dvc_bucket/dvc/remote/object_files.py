"""The content of objects as files: from the local cache, or else from the remote."""

from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.safe_paths import below
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.connection import Remote
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.transfer.files import Unfinished

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


class Contents:
    """Gets objects from the cache or the remote; an object that is in neither is None.

    Args:
        cache: DVC's local cache folder.
        remote: gives what the cache does not have; None for the cache alone.
        spool: an empty folder for what was fetched.
    """

    def __init__(self, cache: Path, remote: Remote | None, spool: Path) -> None:
        self._cache, self._remote, self._spool = cache, remote, spool
        self._lists = Lists(cache, remote, spool)

    def members(self, name: bytes) -> dict[str, bytes] | None:
        """The files that a list names, by path in the directory; None if the list is nowhere."""
        try:
            members = self._lists.members(name)
        except BucketError:
            return None
        return None if members is None else dict(members)

    def list_file(self, name: bytes) -> Path | None:
        """A file with a list's own content; None if the list is nowhere."""
        if self.members(name) is None:
            return None
        paths = (folder / ids.path(name) for folder in (self._cache, self._spool))
        return next((path for path in paths if path.is_file()), None)

    def file(self, path: str, name: bytes) -> Path | None:
        """A file with the content that `name` promises, proven; None if it is nowhere.

        Args:
            path: of the file where people know it; the copy has the last part of it.
            name: of the object.

        Raises:
            UnsafePathError: the last part is no name of a file.
        """
        target = below(self._spool, f"{ids.md5(name)}/{path.rpartition('/')[2]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file():
            cached = self._cache / ids.path(name)
            if cached.is_file():
                target.symlink_to(cached)
            elif self._remote:
                self._fetch(name, target, self._remote)
        return target if target.is_file() and ids.is_right(target, name) else None

    def place(self, name: bytes) -> "tuple[FileSystem, str] | None":
        """File system and path by which pyarrow reads parts of an object, which are not proven.

        None if it can be nowhere. Where it is not on the remote, reading it is an `OSError`.
        """
        from pyarrow.fs import LocalFileSystem

        cached = self._cache / ids.path(name)
        if cached.is_file():
            return LocalFileSystem(), str(cached)
        if self._filesystem and self._remote:
            return self._filesystem, f"{self._remote.settings.bucket_name}/{self._remote.key(name)}"
        return None

    @cached_property
    def _filesystem(self) -> "FileSystem | None":
        from dvc_bucket.connection import clients

        return clients.pyarrow(self._remote.settings) if self._remote else None

    @staticmethod
    def _fetch(name: bytes, target: Path, remote: Remote) -> None:
        from dvc_bucket.transfer.download import Download

        place = ObjectRef.of(remote.settings, remote.key(name), remote.store)
        with suppress(BucketError), Unfinished() as unfinished:
            unfinished.prepare([str(target)])
            Download(unfinished)(place, str(target))
