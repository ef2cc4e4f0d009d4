"""Proof that recorded data is what DVC recorded, before ranges of it are read.

A single-part ETag is the MD5 of the content at its upload. An ETag that is no MD5 proves nothing
by itself; then a note of the last proof counts, if the object's version is still the same.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from dvc_bucket.dvc.remote import ids
from dvc_bucket.read import versions
from dvc_bucket.read.tracked import Tracked, TrackedFile
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
    """Checks objects of tracked files.

    Attributes:
        found: the files.
        full: accept only an object that was read whole with the right hash; read it if no note
            says so.
    """

    found: Tracked
    full: bool = False

    def check_all(self, known: "Mapping[str, ObjectMeta]") -> None:
        """Check objects by the versions that the store told, by path.

        Raises:
            ChecksumError: one has another content than DVC recorded.
            TransferError: the store refused or could not be reached.
        """
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda file: self.check(file, known[file.path]), self.found.files))

    def check(self, file: TrackedFile, version: "ObjectMeta") -> None:
        """Check one object, of which the store told the version; errors as of `check_all`."""
        from dvc_bucket.dvc.audit import deep
        from dvc_bucket.dvc.audit.listing import AS_NAMED, OTHER, says
        from dvc_bucket.dvc.audit.notes import key_mark, mark, note

        told = says(version["e_tag"], file.name)
        if told == AS_NAMED and not self.full:
            return
        this, key = mark(self._salt, version), self.found.key(file)
        is_noted = this in self._noted
        # Somebody wrote it again after its proof, or its ETag is another MD5: the content is
        # another, or the store encrypts it. Only its bytes tell.
        is_doubtful = told == OTHER or key_mark(self._salt, key) in self._noted
        if is_noted or not (self.full or is_doubtful):
            return
        remote = self.found.remote
        with naming_failures(f"read {file.path}", remote.settings):
            digest = deep.object_md5(remote, key, file.name)
        if digest != ids.md5(file.name):
            raise versions.damaged(self.found, file, versions.other_md5(digest, file))
        with self._notes.appending() as notes:
            note(notes, this, key_mark(self._salt, key))

    def check_cached(self) -> None:
        """Hash the files in the cache, if a full proof is asked for.

        Raises:
            ChecksumError: one has another content than DVC recorded.
        """
        if self.full:
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(self.check_file, self.found.files))

    def check_file(self, file: TrackedFile) -> None:
        """Hash a file in the cache; errors as of `check_cached`."""
        from dvc_bucket.dvc.audit.needed import file_md5

        path = self.found.cached(file)
        digest = file_md5(path, file.name)
        if digest != ids.md5(file.name):
            raise versions.damaged(self.found, file, versions.other_md5(digest, file), path)

    @cached_property
    def _notes(self) -> "Notes":
        from dvc_bucket.dvc.audit.notes import Notes

        return Notes(self.found.project)

    @cached_property
    def _noted(self) -> frozenset[int]:
        return frozenset(self._notes.read().tolist())

    @cached_property
    def _salt(self) -> str:
        from dvc_bucket.dvc.audit.notes import salt_of

        return salt_of(self.found.remote)
