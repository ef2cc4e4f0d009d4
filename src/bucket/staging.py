"""Bulk to fast disk: what a job reads often, brought there once, in parallel, and proven right."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bucket import tracked, versions
from bucket.errors import BucketError, MissingObjectError
from bucket.fast.download import Download
from bucket.fast.files import Unfinished, promised_md5
from bucket.fast.pool import Pool
from bucket.files import readable_size
from bucket.objects import Place
from bucket.paths import FAST_DISKS, Project
from bucket.progress import Progress, silent
from bucket.settings import Settings
from bucket.tracked import Tracked
from bucket.transfer import naming_failures

if TYPE_CHECKING:
    from obstore.store import S3Store

#: What a pattern begins with.
WILDCARDS = "*?["

#: Threads that compare files that are there already.
HASHING = 4


class SpaceError(BucketError):
    """There is no folder to stage to, or no room in it."""


@dataclass(frozen=True)
class Item:
    """A file that is to be there.

    Attributes:
        place: its object.
        target: the file.
        size: in bytes; of a file in a directory, of which DVC notes only the whole, the mean.
        written: when the object was, in seconds since 1970; None where its name tells the content.
        missing: what to raise if there is no such object.
    """

    place: Place
    target: Path
    size: int
    written: float | None = None
    missing: Callable[[], BucketError] | None = None

    def is_there(self) -> bool:
        """Whether the file is what the object is.

        By its MD5 where the object's name is that, else by size and time, as `stage` leaves them.
        """
        try:
            found = self.target.stat()
        except OSError:
            return False
        if self.written is not None:
            return found.st_size == self.size and int(found.st_mtime) == int(self.written)
        with self.target.open("rb") as file:
            digest = hashlib.file_digest(file, _md5).hexdigest()
        return digest == promised_md5(self.place.key)


@dataclass(frozen=True)
class Staged:
    """What was done.

    Attributes:
        folder: that has the files.
        files: how many are to be there.
        fetched: how many of them were not.
        size: bytes of those.
    """

    folder: Path
    files: int
    fetched: int
    size: int


def stage(
    sources: Sequence[str],
    to: Path | None = None,
    *,
    rev: str | None = None,
    remote: str | None = None,
    progress: Progress = silent,
) -> Staged:
    """Have files on a fast disk: those that are there and right stay, the others are fetched.

    Args:
        sources: paths that DVC tracks, from the project's root, or `s3://bucket/prefix`, or that
            with wildcards. They keep their paths, and objects their keys, below the folder.
        to: the folder; None for one of the project's name in $SCRATCH or else $TMPDIR.
        rev: branch, tag or commit of the tracked paths; None for the workspace.
        remote: DVC's name of the remote; None for the default one.
        progress: hears how far it is.

    Raises:
        SpaceError: no folder is known, or it has no room for what is missing.
        NotTrackedError, NotPushedError, MissingObjectError: a source is not there.
        ChecksumError: an object is not what its name promises, twice.
        TransferError: the store refused or could not be reached.
    """
    folder = (to or default_folder(os.environ)).absolute()
    wanted: dict[Path, Item] = {}
    for source in sources:
        named = _objects(source, folder) if source.startswith("s3://") else None
        for item in named or items_of(tracked.find(source, rev, remote), folder):
            wanted[item.target] = item
    return fetch(folder, list(wanted.values()), progress)


def fetch(folder: Path, wanted: Sequence[Item], progress: Progress) -> Staged:
    """Fetch what is missing or different.

    Raises:
        SpaceError, TransferError, ChecksumError: as `stage`.
    """
    with ThreadPoolExecutor(HASHING) as pool:
        there = list(pool.map(Item.is_there, wanted))
    missing = [item for item, is_there in zip(wanted, there, strict=True) if not is_there]
    size = sum(item.size for item in missing)
    folder.mkdir(parents=True, exist_ok=True)
    _check_room(folder, size)
    with Unfinished() as unfinished:
        unfinished.prepare([str(item.target) for item in missing])
        download = Download(unfinished)
        Pool[Item](lambda item: _fetch(download, item), None, lambda: download.answer_seconds).run(
            missing, lambda _: progress(download.received, size), _raise
        )
    return Staged(folder, len(wanted), len(missing), download.received)


def default_folder(environment: Mapping[str, str]) -> Path:
    """A folder of the project's own on the fast disk that the environment names.

    Raises:
        SpaceError: it names none.
    """
    for name in FAST_DISKS:
        if found := environment.get(name):
            return Path(found) / Project.find().root.name
    raise SpaceError(
        f"{' and '.join(FAST_DISKS)} are not set, so there is no fast disk to stage to. "
        "Name a folder: --to DIR."
    )


def _fetch(download: Download, item: Item) -> None:
    try:
        download(item.place, str(item.target))
    except FileNotFoundError:
        if item.missing:
            raise item.missing() from None
        raise
    if item.written is not None:
        os.utime(item.target, (item.written, item.written))


def _raise(_: Item, error: BaseException) -> None:
    raise error


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise SpaceError(
            f"{folder} has {readable_size(free)} free, and {readable_size(size)} are to come. "
            "Make room, or name another folder: --to DIR."
        )


def items_of(found: Tracked, folder: Path) -> list[Item]:
    """Files that DVC tracks, to be below a folder.

    Raises:
        NotPushedError: one is not on the remote; it is only looked up if DVC did not note its size.
    """
    settings, store = found.remote.settings, found.remote.store
    noted = {file.path: file.size or file.mean_size for file in found.files}
    known = {path: size for path, size in noted.items() if size is not None}
    # The store is asked only where DVC noted too little: a request a file doubles what they cost.
    sizes = known if len(known) == len(noted) else versions.sizes(found)
    return [
        Item(
            _place(store, found.key(file), settings),
            folder / file.path,
            sizes[file.path],
            missing=partial(versions.not_pushed, found, file),
        )
        for file in found.files
    ]


def _objects(url: str, folder: Path) -> list[Item]:
    """Objects below `s3://bucket/prefix`, or whose keys match it.

    Raises:
        MissingObjectError: there are none.
    """
    import obstore

    bucket, _, pattern = url.removeprefix("s3://").partition("/")
    settings = _settings().model_copy(update={"bucket_name": bucket})
    store = settings.obstore()
    fixed = pattern[
        : min((pattern.find(sign) for sign in WILDCARDS if sign in pattern), default=None)
    ]
    prefix = fixed.rpartition("/")[0] if fixed != pattern else fixed.rstrip("/")
    found = []
    with naming_failures(f"list {url}", settings):
        for batch in obstore.list(store, prefix or None):
            found += [one for one in batch if _matches(one["path"], pattern, fixed)]
        if not found and fixed == pattern and pattern:
            found = [obstore.head(store, pattern)]
    if not found:
        raise MissingObjectError(
            f"No object is {url}, in {settings.endpoint_url}. `bucket run s5cmd ls s3://{bucket}/` "
            "shows what there is."
        )
    return [
        Item(
            _place(store, one["path"], settings),
            folder / one["path"],
            one["size"],
            one["last_modified"].timestamp(),
        )
        for one in found
    ]


def _settings() -> Settings:
    return Settings.load(Project.find())


def _matches(key: str, pattern: str, fixed: str) -> bool:
    if fixed == pattern:
        return not fixed or key.startswith(f"{fixed.rstrip('/')}/")
    return fnmatchcase(key, pattern)


def _place(store: "S3Store", key: str, settings: Settings) -> Place:
    return Place(store, key, settings.bucket_name, settings.where)


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)
