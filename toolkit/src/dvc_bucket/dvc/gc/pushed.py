"""Which objects of the cache are on a remote, so that `dvc gc` deletes no only copy."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.remote import Remote, ids

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

#: DVC's name of the hash of today's layout.
HASH = "md5"


@dataclass
class Remotes:
    """The remotes of a project.

    Attributes:
        repo: the project.
        name: DVC's name of the remote; None for the default one.
        failure: why a remote could not be listed; nothing counts as pushed then.
    """

    repo: "Repo"
    name: str | None
    failure: str = ""

    def database(self, hash_name: str, name: str | None = None) -> Any:
        """The object database of a remote, for the hashes of one kind."""
        remote = self.repo.cloud.get_remote(name or self.name, "gc")
        return remote.odb if hash_name == HASH else remote.legacy_odb

    def pushed(self, database: Any, cache: Any, oids: Collection[str]) -> set[str]:
        """Those objects that a remote lists with the size that they have in the cache.

        An ETag that is another MD5 is no proof of damage: the store may encrypt. Such an object is
        read and hashed.

        Args:
            database: of the remote.
            cache: object database of the cache.
            oids: DVC's names of objects in the cache, as `objects` gives them.
        """
        if not oids or self.failure:
            return set()
        from dvc_bucket.dvc.audit.listing import faults

        names = {ids.encode(oid, legacy=database.hash_name != HASH): oid for oid in oids}
        sizes = {name: _size(cache, oid) for name, oid in names.items()}
        project = Project(Path(self.repo.root_dir))
        try:
            remote = self._remote(project, database)
            lacking = faults(project, remote, sizes, only_doubtful=True)
        except BucketError as error:
            self.failure = str(error)
            return set()
        return {names[name] for name in names.keys() - lacking.keys()}

    def _remote(self, project: Project, database: Any) -> Remote:
        """The remote of an object database.

        Raises:
            ProjectError: the remote is not one in S3 by hash.
        """
        names = (self.name, *self.repo.config["remote"])
        kind = database.hash_name
        name = next(name for name in names if self.database(kind, name) == database)
        return Remote.of(project, Settings.load(project), name)


def objects(cache: Any) -> set[str]:
    """DVC's names of the objects in a cache, without files that have other names."""
    folder = ids.FOLDER if cache.hash_name == HASH else ""
    return {oid for oid in cache.all() if ids.from_path(f"{folder}{oid[:2]}/{oid[2:]}")}


def _size(cache: Any, oid: str) -> int:
    return Path(cache.oid_to_path(oid)).lstat().st_size
