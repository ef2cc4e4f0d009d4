"""The bucket as another place of data, which is asked only if need be."""

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.audit.listing import proven
from dvc_bucket.dvc.remote import Remote


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
                self._note(error)
        return self._remotes[name]

    def proven(self, name: str | None, objects: set[bytes]) -> set[bytes]:
        """Those of the objects that a remote holds for certain."""
        if not objects or name == "" or (remote := self.remote(name)) is None:
            return set()
        try:
            return proven(self._project, remote, objects)
        except BucketError as error:
            self._note(error)
            return set()

    def _note(self, error: BucketError) -> None:
        self.notes.append(f"The bucket was not asked: {error}")
