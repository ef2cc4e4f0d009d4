"""Bulk to fast disk: what a job reads often, brought there once, in parallel, and proven right."""

import os
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import MissingObjectError
from dvc_bucket.base.files import PRIVATE, private_folder
from dvc_bucket.base.paths import FAST_DISKS, Project
from dvc_bucket.base.progress import Progress, silent
from dvc_bucket.base.safe_paths import below
from dvc_bucket.connection.objects import Place
from dvc_bucket.connection.settings import Settings
from dvc_bucket.read import tracked, versions
from dvc_bucket.read.bringing import Item, SpaceError, Staged, bring, no_folder
from dvc_bucket.read.tracked import Tracked
from dvc_bucket.transfer.download import OTHER_MODE
from dvc_bucket.transfer.single import naming_failures

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Store

#: What a pattern begins with.
WILDCARDS = "*?["


def stage(
    sources: Sequence[str],
    to: Path | None = None,
    *,
    rev: str | None = None,
    remote: str | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Staged:
    """Have files on a fast disk: those that are there and right stay, the others are fetched.

    A file that an earlier `stage` put there is replaced when the data has changed. One with any
    other content is replaced only with `force`, and never if git or DVC tracks it.

    Args:
        sources: paths that DVC tracks, from the project's root, or `s3://bucket/prefix`, or that
            with wildcards. They keep their paths, and objects their keys, below the folder.
        to: the folder; None for one of the user's own in $SCRATCH or else $TMPDIR, which nobody
            else can enter.
        rev: branch, tag or commit of the tracked paths; None for the workspace.
        remote: DVC's name of the remote; None for the default one.
        force: replace files that `stage` did not put there.
        progress: hears how far it is.

    Raises:
        SpaceError: no folder is known, or it has no room for what is missing.
        OutputError: a file with other content is there.
        UnsafePathError: a name in the data leads out of the folder, or the default folder could be
            another user's.
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
    mode = OTHER_MODE if to else PRIVATE
    return bring(folder, list(wanted.values()), progress, force=force, mode=mode)


def default_folder(environment: Mapping[str, str]) -> Path:
    """A folder of the project's on the fast disk that the environment names, for this user alone.

    Raises:
        SpaceError: it names none, or one that cannot be written to.
        UnsafePathError: the folder is there, and could be another user's.
    """
    for name in FAST_DISKS:
        if found := environment.get(name):
            own = Path(found) / f"dvc-bucket-{os.geteuid()}"
            try:
                return private_folder(private_folder(own) / Project.find().root.name)
            except OSError as error:
                raise SpaceError(no_folder(own, error)) from None
    raise SpaceError(
        f"{' and '.join(FAST_DISKS)} are not set, so there is no fast disk to stage to. "
        "Name a folder: --to DIR."
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
            below(folder, file.path),
            sizes[file.path],
            missing=partial(versions.not_pushed, found, file),
            name=file.name,
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
    return [_object(one, store, settings, below(folder, one["path"])) for one in found]


def object_at(key: str, target: Path, settings: Settings) -> Item:
    """An object that is to be a file.

    Raises:
        MissingObjectError: there is none.
        TransferError: the store refused or could not be reached.
    """
    import obstore

    store = settings.obstore()
    with naming_failures(f"look up {key}", settings):
        return _object(obstore.head(store, key), store, settings, target)


def _object(one: "ObjectMeta", store: "S3Store", settings: Settings, target: Path) -> Item:
    written = one["last_modified"].timestamp()
    return Item(_place(store, one["path"], settings), target, one["size"], written)


def _settings() -> Settings:
    return Settings.load(Project.find())


def _matches(key: str, pattern: str, fixed: str) -> bool:
    if fixed == pattern:
        return not fixed or key.startswith(f"{fixed.rstrip('/')}/")
    return fnmatchcase(key, pattern)


def _place(store: "S3Store", key: str, settings: Settings) -> Place:
    return Place(store, key, settings.bucket_name, settings.where)
