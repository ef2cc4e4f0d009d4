"""Which objects of the cache are on a remote, so that `dvc gc` deletes no only copy."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.remote import Remote, ids

if TYPE_CHECKING:
    from dvc_bucket.dvc.audit.listing import Listing
    from dvc_bucket.dvc.patched.types import Repo

#: DVC's name of the hash of today's layout.
HASH = "md5"


@dataclass
class Remotes:
    """The remotes of a project, each listed once.

    Attributes:
        repo: the project.
        name: DVC's name of the remote; None for the default one.
        failure: why a remote could not be listed; nothing counts as pushed then.
    """

    repo: "Repo"
    name: str | None
    failure: str = ""
    _listings: dict[Any, "Listing"] = field(default_factory=dict)

    def place(self, hash_name: str, name: str | None = None) -> Any:
        """The object database of a remote, for the hashes of one kind."""
        remote = self.repo.cloud.get_remote(name or self.name, "gc")
        return remote.odb if hash_name == HASH else remote.legacy_odb

    def pushed(self, place: Any, cache: Any, oids: Collection[str]) -> set[str]:
        """Those objects that a remote lists with the size that they have in the cache.

        An ETag that is another MD5 is no proof of damage: the store may encrypt. Such an object is
        read and hashed.

        Args:
            place: object database of the remote.
            cache: of the cache.
            oids: DVC's names of objects in the cache, as `objects` gives them.
        """
        if not oids or self.failure:
            return set()
        from dvc_bucket.dvc.audit.listing import OTHER
        from dvc_bucket.dvc.audit.proven import proven
        from dvc_bucket.dvc.remote.arrays import array_of

        try:
            listing = self._listing(place)
        except BucketError as error:
            self.failure = str(error)
            return set()
        names = {oid: ids.encode(oid, legacy=place.hash_name != HASH) for oid in oids}
        found = listing.find(array_of(names.values()))
        places = {
            oid: at
            for oid, at in zip(names, found.tolist(), strict=True)
            if at >= 0 and listing.sizes[at] == Path(cache.oid_to_path(oid)).lstat().st_size
        }
        doubtful = {names[oid] for oid, at in places.items() if listing.tags[at] == OTHER}
        try:
            right = proven(self._project, self._remote(place), doubtful) if doubtful else set()
        except BucketError as error:
            self.failure = str(error)
            return set()
        return {oid for oid in places if names[oid] not in doubtful - right}

    @property
    def _project(self) -> Project:
        return Project(Path(self.repo.root_dir))

    def _remote(self, place: Any) -> Remote:
        """The remote of an object database.

        Raises:
            ProjectError: the remote is not one in S3 by hash.
        """
        names = (self.name, *self.repo.config["remote"])
        name = next(one for one in names if self.place(place.hash_name, one) == place)
        return Remote.of(self._project, Settings.load(self._project), name)

    def _listing(self, place: Any) -> "Listing":
        """Everything that a remote lists.

        Raises:
            ProjectError: the remote is not one in S3 by hash.
            TransferError: the store refused or could not be reached.
        """
        from dvc_bucket.dvc.audit.listing import Listing

        if place not in self._listings:
            remote = self._remote(place)
            self._listings[place] = Listing(remote, with_legacy=place.hash_name != HASH)
        return self._listings[place]


def objects(cache: Any) -> set[str]:
    """DVC's names of the objects in a cache, without files that have other names."""
    folder = ids.FOLDER if cache.hash_name == HASH else ""
    return {oid for oid in cache.all() if ids.from_path(f"{folder}{oid[:2]}/{oid[2:]}")}
