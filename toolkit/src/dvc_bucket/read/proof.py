"""Proof that recorded data is what DVC recorded, before ranges of it are read.

A single-part ETag is the MD5 of the content at its upload. Another ETag proves nothing
by itself; then a note of the last proof counts, if the object's version is still the same.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from dvc_bucket.dvc.remote import ids
from dvc_bucket.read.tracked import TrackedData, TrackedFile
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from obstore import ObjectMeta

    from dvc_bucket.dvc.audit.notes import Notes

#: What a caller can ask for: nothing is read that was not read whole once with the right hash.
Proven = Literal["full"]

#: Objects and cached files that are hashed at once.
THREADS = 8


@dataclass(frozen=True)
class Proof:
    """Checks the content of tracked files.

    Attributes:
        data: the files.
        is_full: accept only an object that was read whole with the right hash; read it if no note
            says so.
    """

    data: TrackedData
    is_full: bool = False

    def check_objects(self, versions: "Mapping[str, ObjectMeta]") -> None:
        """Check the objects by their versions, by path.

        Raises:
            ChecksumError: one has another content than DVC recorded.
            TransferError: the store refused or could not be reached.
        """
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda file: self.check(file, versions[file.path]), self.data.files))

    def check(self, file: TrackedFile, version: "ObjectMeta") -> None:
        """Check one object by its version; errors as of `check_objects`."""
        from dvc_bucket.dvc.audit import deep
        from dvc_bucket.dvc.audit.listing import AS_NAMED, OTHER, says
        from dvc_bucket.dvc.audit.notes import key_mark, mark, note, salt_of

        remote = self.data.owned(file).remote
        key = remote.key(file.name)
        etag = says(version["e_tag"], file.name)
        if etag == AS_NAMED and not self.is_full:
            return
        salt = salt_of(remote)
        version_mark, known_key = mark(salt, version), key_mark(salt, key)
        # Somebody wrote it again after its proof, or its ETag is another MD5: the content is
        # another, or the store encrypts it. Only its bytes tell.
        is_doubtful = etag == OTHER or known_key in self._noted
        if version_mark in self._noted or not (self.is_full or is_doubtful):
            return
        with naming_failures(f"read {file.path}", remote.settings):
            digest = deep.object_hash(remote, key, file.name)
        self.data.compare(file, digest)
        with self._notes.appending() as notes:
            note(notes, version_mark, known_key)

    def check_cache(self) -> None:
        """Hash the files in the cache, if a full proof is asked for.

        Raises:
            ChecksumError: one has another content than DVC recorded.
        """
        if self.is_full:
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(self.check_cached, self.data.files))

    def check_cached(self, file: TrackedFile) -> None:
        """Hash a file in the cache; errors as of `check_cache`."""
        self.data.compare(file, ids.file_hash(self.data.cached(file), file.name), is_cached=True)

    @cached_property
    def _notes(self) -> "Notes":
        from dvc_bucket.dvc.audit.notes import Notes

        return Notes(self.data.project)

    @cached_property
    def _noted(self) -> frozenset[int]:
        return frozenset(self._notes.read().tolist())
