"""Where else data is for certain: in the cache, or in a bucket that is asked only if need be."""

from pathlib import Path

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.audit.proven import proven
from dvc_bucket.dvc.remote import Remote
from dvc_bucket.dvc.remote.lists import Lists


class Bucket:
    """The remotes of a project.

    Attributes:
        notes: why one could not be asked.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self.notes: list[str] = []
        self._remotes: dict[str | None, Remote | None] = {}

    def of(self, name: str | None) -> Remote | None:
        """A remote; None if it cannot be reached, which is noted once."""
        if name not in self._remotes:
            try:
                remote = Remote.of(self._project, Settings.load(self._project), name)
                remote.check()
            except BucketError as error:
                self._remotes[name] = None
                self.notes.append(f"The bucket was not asked: {error}")
            else:
                self._remotes[name] = remote
        return self._remotes[name]

    def proven(self, name: str | None, objects: set[bytes]) -> set[bytes]:
        """Those of the objects that a remote holds for certain."""
        if not objects or name == "" or (remote := self.of(name)) is None:
            return set()
        try:
            return proven(self._project, remote, objects)
        except BucketError as error:
            self.notes.append(f"The bucket was not asked: {error}")
            return set()


class FolderLists:
    """The lists of folders: from the cache, and from the bucket only if one is not there."""

    def __init__(self, cache: Path, bucket: Bucket, spool: Path) -> None:
        self._cache, self._bucket, self._spool = cache, bucket, spool

    def members(self, name: bytes, remote: str | None) -> list[tuple[str, bytes]] | None:
        """Path and name of a folder's objects; None if no good copy of the list is anywhere."""
        found = Lists(self._cache, None, self._spool).members(name)
        if found is None and (asked := self._bucket.of(remote)):
            return Lists(self._cache, asked, self._spool).members(name)
        return found
