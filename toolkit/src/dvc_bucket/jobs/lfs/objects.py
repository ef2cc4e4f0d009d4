"""Objects of Git LFS to and from the bucket."""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError, PermissionDeniedError

from dvc_bucket.base.errors import MissingObjectError
from dvc_bucket.base.safe_paths import below
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import connected
from dvc_bucket.git import lfs_layout as layout
from dvc_bucket.transfer import unlisted
from dvc_bucket.transfer.download import Download
from dvc_bucket.transfer.errors import naming_failures
from dvc_bucket.transfer.files import ContentHash, Unfinished, sweep
from dvc_bucket.transfer.pool import Budget
from dvc_bucket.transfer.upload import Upload

if TYPE_CHECKING:
    from dvc_bucket.base.paths import Project

SHA256 = ContentHash("SHA-256", hashlib.sha256, layout.promised_sha256)


@dataclass(frozen=True)
class Transfer:
    """An object that is to move.

    Attributes:
        run: moves it; returns the path of the file that it was downloaded to. It raises StoreError
            where the store does not serve us, MissingObjectError where it has no such object, and
            WrongContentError where the bytes of that are not what its name promises, twice.
        moved: tells how many bytes have been moved.
    """

    run: Callable[[], str | None]
    moved: Callable[[], int]


class Objects:
    """Those of a project, in the bucket that its settings name.

    Args:
        project: which.
        folder: for what arrives, on the file system of git-lfs's own.

    Raises:
        BucketError: the settings are not complete, or cannot be right; the store refused, or could
            not be reached.
    """

    def __init__(self, project: "Project", folder: Path) -> None:
        self._settings = Settings.load(project)
        self._prefix = connected.remote_prefix(project, self._settings)
        self._store = self._settings.obstore()
        self._folder, self._budget = folder, Budget()
        below = layout.key(self._prefix, "").rstrip("/")
        with naming_failures(f"list {below}", self._settings):
            try:
                next(iter(self._store.list(below, chunk_size=1)), None)
            except BaseError as error:
                if not unlisted.is_refusal(error):
                    raise
        sweep(folder)

    def upload(self, oid: str, size: int, path: str) -> Transfer:
        """Of a file to the bucket, unless that has it with this size."""
        sent: list[int] = []

        def run() -> None:
            place = self._place(oid)
            if self._size(place) != size:
                self._settings.check_may_write("An upload of Git LFS")
                Upload(self._budget)(place, path, sent.append)

        return Transfer(run, lambda: sum(sent))

    def _size(self, place: ObjectRef) -> int | None:
        """Bytes of an object that is there, as far as this key may know."""
        with (
            suppress(MissingObjectError),
            naming_failures(f"look up {place.url}", self._settings),
        ):
            try:
                return self._store.head(place.key)["size"]
            except PermissionDeniedError as error:
                if not unlisted.may_be_missing(self._store, place.key, error):
                    raise
        return None

    def download(self, oid: str) -> Transfer:
        """To a file of its own, which git-lfs removes, by its name, if nobody takes it."""
        target = str(below(self._folder, f"{oid}-{secrets.token_hex(4)}"))
        download = Download(Unfinished(), SHA256, self._budget)

        def run() -> str:
            download(self._place(oid), target)
            return target

        return Transfer(run, lambda: download.received)

    def _place(self, oid: str) -> ObjectRef:
        return ObjectRef.of(self._settings, layout.key(self._prefix, oid), self._store)
