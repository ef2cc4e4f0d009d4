"""Copies between the bucket and a disk: what is missing or different, in parallel, proven right."""

import os
import re
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
from dvc_bucket.read import tracked, tree
from dvc_bucket.read.bringing import Copied, Item, SpaceError, bring, no_folder
from dvc_bucket.read.tracked import TrackedData
from dvc_bucket.transfer.download import OTHER_MODE
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Store

#: What a name in the bucket begins with.
S3 = "s3://"

#: Signs of a pattern.
WILDCARDS = re.compile(r"[*?[]")


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
    selections = [
        select(source, folder, rev, remote, parents=parents or not to) for source in sources
    ]
    kinds = [selection.is_file for selection in selections]
    if to and is_name(kinds, str(to), is_folder=folder.is_dir(), parents=parents):
        items = [replace(selections[0].items[0], target=folder)]
        done = bring(folder.parent, items, progress, force=force)
        return replace(done, destination=folder)
    items = distinct(selections)
    return bring(folder, items, progress, force=force, mode=OTHER_MODE if to else PRIVATE)


@dataclass(frozen=True)
class SourceFiles:
    """The files that a source names.

    Attributes:
        items: the files, to be below the destination.
        is_file: it names one file, not a folder or a pattern.
    """

    items: Sequence[Item]
    is_file: bool


def select(
    source: str | Path, folder: Path, rev: str | None, remote: str | None, *, parents: bool
) -> SourceFiles:
    """The files of a source in the bucket, each to be below a folder.

    Raises:
        BucketError: as `copy_to`.
    """
    if str(source).startswith(S3):
        return _objects(str(source), folder, parents=parents)
    path = tracked.inside(Project.find(), source)
    fixed = _fixed(path)
    parent = fixed.rpartition("/")[0]
    data = tree.find(path if fixed == path else parent, rev, remote)
    if fixed != path:
        files = [file for file in data.files if _matches(file.path, path)]
        if not files:
            raise NotTrackedError(f"DVC tracks no file that is {path}. `bucket ls` lists them.")
        data = replace(data, path=path, files=files)
    return SourceFiles(items_of(data, folder, "" if parents else parent), data.is_file)


def is_name(are_files: Sequence[bool], to: str, *, is_folder: bool, parents: bool) -> bool:
    """Whether a destination is the name of a single file, and not a folder of files.

    Args:
        are_files: of each source, whether it names one file.
        to: the destination.
        is_folder: a folder is there.
        parents: whole paths are kept below it.
    """
    return list(are_files) == [True] and not (parents or is_folder or to.endswith("/"))


def distinct(selections: Sequence[SourceFiles]) -> list[Item]:
    """All items, each once.

    Raises:
        OutputError: two are different objects of one name.
    """
    items: dict[Path, Item] = {}
    for item in (item for selection in selections for item in selection.items):
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
        if disk := environment.get(name):
            own = Path(disk) / f"dvc-bucket-{os.geteuid()}"
            try:
                return private_folder(private_folder(own) / Project.find().root.name)
            except OSError as error:
                raise SpaceError(no_folder(own, error)) from None
    raise SpaceError(
        f"{' and '.join(FAST_DISKS)} are not set, so there is no fast disk to copy to. "
        "Name a folder as DEST."
    )


def items_of(data: TrackedData, folder: Path, base: str = "") -> list[Item]:
    """Files that DVC tracks, to be below a folder.

    Args:
        data: the files.
        folder: where they are to be.
        base: the folder of the project from which their paths are kept.

    Raises:
        NotPushedError: one is not on the remote; it is only looked up if DVC did not note its size.
    """
    remote = data.remote
    # The store is asked only where DVC noted too little: a request a file doubles what they cost.
    is_noted = all(file.expected_size is not None for file in data.files)
    sizes = {} if is_noted else data.sizes()
    return [
        Item(
            ObjectRef.of(remote.settings, data.key(file), remote.store),
            below(folder, _from(base, file.path)),
            sizes.get(file.path, file.expected_size or 0),
            missing=partial(data.not_pushed, file),
            name=file.name,
        )
        for file in data.files
    ]


def _objects(url: str, folder: Path, *, parents: bool) -> SourceFiles:
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
    objects: list[ObjectMeta] = []
    with naming_failures(f"list {url}", settings):
        for batch in obstore.list(store, prefix or None):
            objects += [version for version in batch if _matches(version["path"], pattern)]
        is_file = bool(not objects and fixed == pattern and pattern)
        if is_file:
            objects = [obstore.head(store, pattern)]
    if not objects:
        raise MissingObjectError(
            f"No object is {url}, in {settings.endpoint_url}. `bucket run s5cmd ls s3://{bucket}/` "
            "shows what there is."
        )
    base = "" if parents else prefix if fixed != pattern else prefix.rpartition("/")[0]
    items = [
        object_item(version, below(folder, _from(base, version["path"])), settings, store)
        for version in objects
    ]
    return SourceFiles(items, is_file)


def object_item(version: "ObjectMeta", target: Path, settings: Settings, store: "S3Store") -> Item:
    """An object of a bucket that is to be a file."""
    place = ObjectRef.of(settings, version["path"], store)
    return Item(place, target, version["size"], version["last_modified"].timestamp())


def _fixed(pattern: str) -> str:
    """A pattern up to its first wildcard."""
    return WILDCARDS.split(pattern, maxsplit=1)[0]


def _matches(path: str, pattern: str) -> bool:
    """Whether a path is the pattern, below it, or matches it."""
    folder = pattern.rstrip("/")
    return not folder or path.startswith(f"{folder}/") or fnmatchcase(path, pattern)


def _from(base: str, path: str) -> str:
    """A path from a folder that it is in."""
    return path.removeprefix(f"{base}/") if base else path
