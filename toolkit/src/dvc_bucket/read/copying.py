"""Copies between the bucket and a disk: what is missing or different, in parallel, proven right."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import MissingObjectError, NotTrackedError, OutputError
from dvc_bucket.base.files import PRIVATE, private_folder
from dvc_bucket.base.paths import FAST_DISKS, Project
from dvc_bucket.base.progress import Progress, silent
from dvc_bucket.base.safe_paths import below
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.connection.settings import Settings
from dvc_bucket.read import tracked, versions
from dvc_bucket.read.bringing import Copied, Item, SpaceError, bring, no_folder
from dvc_bucket.read.tracked import Tracked
from dvc_bucket.transfer.download import OTHER_MODE
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Store

#: What a name in the bucket begins with.
S3 = "s3://"

#: What a pattern begins with.
WILDCARDS = "*?["


def copy_to(
    sources: Sequence[str | Path],
    to: str | Path | None = None,
    *,
    rev: str | None = None,
    remote: str | None = None,
    parents: bool = False,
    force: bool = False,
    progress: Progress = silent,
) -> Copied:
    """Copy data to a disk, or to keys of a bucket; what is there and right stays.

    As with `cp -r`, the last part of each source is kept below `to`. A single file takes the name
    `to` unless that is a folder or ends with a slash.

    On a disk, a file that an earlier `copy_to` wrote is replaced when the data has changed. One
    with any other content is replaced only with `force`, and never if git or DVC tracks it. In a
    bucket, an object with other content is replaced only with `force`, and never one of DVC's.

    Args:
        sources: paths that DVC tracks, from the project's root, or `s3://bucket/prefix`, or either
            with wildcards. To a bucket, also files and folders of this disk: what lies at a path
            is taken before what DVC tracks there, unless `rev` is given.
        to: a local path or `s3://bucket/prefix/`; None for a folder of the user's own in $SCRATCH
            or else $TMPDIR, which nobody else can enter, with `parents`.
        rev: branch, tag or commit of the tracked paths; None for the workspace.
        remote: DVC's name of the remote; None for the default one.
        parents: keep whole paths and keys below `to`, not their last parts.
        force: replace files that `copy_to` did not write, and objects with other content.
        progress: hears how far it is, in bytes.

    Raises:
        SpaceError: no folder is known, or it has no room for what is missing.
        OutputError: a file or an object with other content is there, or two sources have one name.
        UnsafePathError: a name in the data leads out of the folder, or the default folder could be
            another user's; or a file with credentials was to be uploaded.
        NotTrackedError, NotPushedError, MissingObjectError: a source is not there.
        ChecksumError: an object is not what its name promises, twice.
        TransferError: the store refused or could not be reached.
    """
    if str(to).startswith(S3):
        from dvc_bucket.read import sending

        return sending.send(
            sources, str(to), rev, remote, parents=parents, force=force, progress=progress
        )
    folder = Path(to or default_folder(os.environ)).absolute()
    found = [find(source, folder, rev, remote, parents=parents or to is None) for source in sources]
    kinds = [one.is_file for one in found]
    if to and is_name(kinds, str(to), is_folder=folder.is_dir(), parents=parents):
        items = [replace(found[0].items[0], target=folder)]
        done = bring(folder.parent, items, progress, force=force)
        return replace(done, destination=folder)
    items = distinct(found)
    return bring(folder, items, progress, force=force, mode=OTHER_MODE if to else PRIVATE)


@dataclass(frozen=True)
class Found:
    """What a source is.

    Attributes:
        items: its files, to be below the destination.
        is_file: it names one file, not a folder or a pattern.
    """

    items: Sequence[Item]
    is_file: bool


def find(
    source: str | Path, folder: Path, rev: str | None, remote: str | None, *, parents: bool
) -> Found:
    """The files of a source in the bucket, each to be below a folder.

    Raises:
        BucketError: as `copy_to`.
    """
    if str(source).startswith(S3):
        return _objects(str(source), folder, parents=parents)
    path = tracked.inside(Project.find(), source)
    fixed = _fixed(path)
    base = "" if parents else fixed.rpartition("/")[0]
    if fixed == path:
        found = tracked.find(path, rev, remote)
    else:
        around = tracked.find(fixed.rpartition("/")[0], rev, remote)
        files = [file for file in around.files if _matches(file.path, path)]
        if not files:
            raise NotTrackedError(f"DVC tracks no file that is {path}. `bucket ls` lists them.")
        found = replace(around, files=files)
    is_file = [file.path for file in found.files] == [path]
    return Found(items_of(found, folder, base), is_file)


def is_name(are_files: Sequence[bool], to: str, *, is_folder: bool, parents: bool) -> bool:
    """Whether a destination is the name of a single file, and not a folder of files.

    Args:
        are_files: of each source, whether it names one file.
        to: the destination.
        is_folder: a folder is there.
        parents: whole paths are kept below it.
    """
    return list(are_files) == [True] and not (parents or is_folder or to.endswith("/"))


def distinct(found: Sequence[Found]) -> list[Item]:
    """All items, each once.

    Raises:
        OutputError: two are different objects of one name.
    """
    items: dict[Path, Item] = {}
    for item in (item for one in found for item in one.items):
        other = items.setdefault(item.target, item)
        if other.place.url != item.place.url:
            raise same_name(item.target.name)
    return list(items.values())


def same_name(name: str) -> OutputError:
    """Two sources cannot both have a name."""
    return OutputError(
        f"Two sources would both be {name} at the destination. Add --parents to keep their whole "
        "paths, or copy them one after the other."
    )


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
        f"{' and '.join(FAST_DISKS)} are not set, so there is no fast disk to copy to. "
        "Name a folder as DEST."
    )


def items_of(found: Tracked, folder: Path, base: str = "") -> list[Item]:
    """Files that DVC tracks, to be below a folder.

    Args:
        found: the files.
        folder: where they are to be.
        base: the folder of the project from which their paths are kept.

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
            below(folder, _from(base, file.path)),
            sizes[file.path],
            missing=partial(versions.not_pushed, found, file),
            name=file.name,
        )
        for file in found.files
    ]


def _objects(url: str, folder: Path, *, parents: bool) -> Found:
    """Objects below `s3://bucket/prefix`, or whose keys match it.

    Raises:
        MissingObjectError: there are none.
    """
    import obstore

    bucket, _, pattern = url.removeprefix(S3).partition("/")
    settings = Settings.load(Project.find()).model_copy(update={"bucket_name": bucket})
    store = settings.obstore()
    fixed = _fixed(pattern)
    prefix = fixed.rpartition("/")[0] if fixed != pattern else fixed.rstrip("/")
    found: list[ObjectMeta] = []
    is_file = False
    with naming_failures(f"list {url}", settings):
        for batch in obstore.list(store, prefix or None):
            found += [one for one in batch if _matches(one["path"], pattern)]
        if not found and fixed == pattern and pattern:
            found, is_file = [obstore.head(store, pattern)], True
    if not found:
        raise MissingObjectError(
            f"No object is {url}, in {settings.endpoint_url}. `bucket run s5cmd ls s3://{bucket}/` "
            "shows what there is."
        )
    base = "" if parents else prefix if fixed != pattern else prefix.rpartition("/")[0]
    targets = [below(folder, _from(base, one["path"])) for one in found]
    items = [
        _object(one, store, settings, target) for one, target in zip(found, targets, strict=True)
    ]
    return Found(items, is_file)


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


def _fixed(pattern: str) -> str:
    """A pattern up to its first wildcard."""
    return pattern[
        : min((pattern.find(sign) for sign in WILDCARDS if sign in pattern), default=None)
    ]


def _matches(path: str, pattern: str) -> bool:
    """Whether a path is the pattern, below it, or matches it."""
    folder = pattern.rstrip("/")
    return not folder or path.startswith(f"{folder}/") or fnmatchcase(path, pattern)


def _from(base: str, path: str) -> str:
    """A path from a folder that it is in."""
    return path.removeprefix(f"{base}/") if base else path


def _place(store: "S3Store", key: str, settings: Settings) -> ObjectRef:
    return ObjectRef(store, key, settings.bucket_name, settings.where)
