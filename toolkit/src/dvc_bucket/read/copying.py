"""Copies between the bucket and a disk: what is missing or different, in parallel, proven right."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import NotTrackedError, OutputError, SpaceError
from dvc_bucket.base.files import PRIVATE, private_folder
from dvc_bucket.base.paths import FAST_DISKS, Project
from dvc_bucket.base.progress import Progress, silent
from dvc_bucket.base.safe_paths import below
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.connection.settings import Settings
from dvc_bucket.read import bucket_objects, tracked, tree
from dvc_bucket.read.bringing import Copied, Item, bring, no_folder
from dvc_bucket.read.bucket_objects import S3, fixed_part
from dvc_bucket.read.tracked import TrackedData
from dvc_bucket.transfer.download import OTHER_MODE

if TYPE_CHECKING:
    from obstore import ObjectMeta

    from dvc_bucket.connection.clients.patient import PatientStore


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
    """Copy data to a disk or a bucket, and skip files that are identical.

    Args:
        sources: paths that DVC tracks, from the project's root, or `s3://bucket/prefix`, or either
            with wildcards. To a bucket also local files, before tracked ones if `rev` is None.
        to: a local path or `s3://bucket/prefix/`; None for a private folder of the user in $SCRATCH
            (or $TMPDIR), with `parents`. As with `cp -r`, the last part of each source is kept
            below it; a single file gets this name unless it is a folder or ends with a slash.
        rev: branch, tag or commit of the tracked paths; None for the workspace.
        remote: DVC's name of the remote; None for the default one.
        parents: keep full paths and keys below `to`, not only their last parts.
        force: replace files that `copy_to` did not write, and objects that differ; never those that
            git or DVC tracks.
        progress: receives the progress in bytes.

    Raises:
        SpaceError: no folder is known, or it lacks space for the missing files.
        OutputError: a different file or object exists, or two sources have the same name.
        UnsafePathError: a name leads out of the folder, or a file to upload has credentials.
        NotTrackedError, NotPushedError, MissingObjectError: a source does not exist.
        ChecksumError: the content of an object does not match its name, twice.
        TransferError: the store refused or could not be reached.
    """
    if str(to).startswith(S3):
        from dvc_bucket.read import sending

        return sending.send(
            sources, str(to), rev, remote, parents=parents, force=force, progress=progress
        )
    return _to_disk(sources, to, rev, remote, parents=parents, force=force, progress=progress)


def _to_disk(
    sources: Sequence[str | Path],
    to: str | Path | None,
    rev: str | None,
    remote: str | None,
    *,
    parents: bool,
    force: bool,
    progress: Progress,
) -> Copied:
    folder = Path(to or default_folder(os.environ)).absolute()
    selections = [
        select(source, folder, rev, remote, parents=parents or not to) for source in sources
    ]
    kinds = [selection.is_file for selection in selections]
    left_out = [key for selection in selections for key in selection.left_out]
    if to and is_name(kinds, str(to), is_folder=folder.is_dir(), parents=parents):
        items = [replace(selections[0].items[0], target=folder)]
        done = bring(folder.parent, items, progress, force=force)
        return replace(done, destination=folder)
    items = distinct(selections)
    mode = OTHER_MODE if to else PRIVATE
    return replace(bring(folder, items, progress, force=force, mode=mode), left_out=left_out)


@dataclass(frozen=True)
class SourceFiles:
    """The files that a source names.

    Attributes:
        items: the files, to be below the destination.
        is_file: it names one file, not a folder or a pattern.
        left_out: keys of the bucket that cannot be fetched.
    """

    items: Sequence[Item]
    is_file: bool
    left_out: Sequence[str] = ()


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
    fixed = fixed_part(path)
    parent = fixed.rpartition("/")[0]
    data = tree.find(path if fixed == path else parent, rev, remote)
    if fixed != path:
        files = [file for file in data.files if tracked.is_within(file.path, path)]
        if files:  # the wildcard is part of a name
            parent = path.rpartition("/")[0]
        files = files or [file for file in data.files if fnmatchcase(file.path, path)]
        if not files:
            raise NotTrackedError(f"DVC tracks no file {path}. `bucket ls` lists the files.")
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
        f"Two sources would both become {name} at the destination. Add --parents to keep their "
        "full paths, or copy them to different folders."
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
        f"{' and '.join(FAST_DISKS)} are not set, so the fast disk is unknown. Name a folder as "
        "DEST."
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
    # The store is asked only where DVC noted too little: a request a file doubles what they cost.
    is_noted = all(file.expected_size is not None for file in data.files)
    sizes = {} if is_noted else data.sizes()
    owned = [(file, data.owned(file).remote) for file in data.files]
    return [
        Item(
            ObjectRef.of(remote.settings, remote.key(file.name), remote.store),
            below(folder, _from(base, file.path)),
            sizes.get(file.path, file.expected_size or 0),
            missing=partial(data.not_pushed, file),
            name=file.name,
        )
        for file, remote in owned
    ]


def _objects(url: str, folder: Path, *, parents: bool) -> SourceFiles:
    """Objects of the bucket, by the name that they have there.

    Raises:
        BucketError: as `bucket_objects.find`.
    """
    listing = bucket_objects.find(url)
    base = "" if parents else listing.folder
    items = [
        object_item(
            version, below(folder, _from(base, version["path"])), listing.settings, listing.store
        )
        for version in listing.versions
    ]
    return SourceFiles(items, listing.is_object, listing.left_out)


def object_item(
    version: "ObjectMeta", target: Path, settings: Settings, store: "PatientStore"
) -> Item:
    """An object of a bucket that is to be a file."""
    place = ObjectRef.of(settings, version["path"], store)
    return Item(place, target, version["size"], version["last_modified"].timestamp())


def _from(base: str, path: str) -> str:
    """A path from a folder that it is in."""
    return path.removeprefix(f"{base}/") if base else path
