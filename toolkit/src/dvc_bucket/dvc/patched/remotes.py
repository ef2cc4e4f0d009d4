"""What DVC's functions do with an S3 remote of ours: copies, look-ups, and what is left out."""

from collections.abc import Callable, Mapping
from typing import Any

from dvc_bucket.dvc.patched.replacement import replacement
from dvc_bucket.dvc.patched.touch_points import COPY, EXIST, FOLDERS, TRANSFER

#: Our class of an S3 remote, by name as the dictionary of file systems has it: DVC imports it when
#: it first needs it.
FAST_CLASS = f"{__package__}.s3.FastS3FileSystem"


def _copy(*arguments: Any, **named: Any) -> None:
    """In the place of DVC's `copy`, with its arguments; what it needs is loaded at first use."""
    from dvc_bucket.dvc.patched.copy import copy

    copy(*arguments, **named)


def is_ours(fs: Any) -> bool:
    """Whether a file system is an S3 remote; its class is not imported to find out."""
    return f"{type(fs).__module__}.{type(fs).__name__}" == FAST_CLASS


@replacement
def _at_once(
    original: Any, from_fs: Any, from_path: Any, to_fs: Any, *arguments: Any, **named: Any
) -> None:
    """In the place of DVC's function: nothing is linked between a remote and a disk."""
    if is_ours(from_fs) != is_ours(to_fs):
        named |= {"hardlink": False, "links": ["copy"]}
    original(from_fs, from_path, to_fs, *arguments, **named)


@replacement
def _without_folders(original: Any, odb: Any, dname: str) -> None:
    """In the place of DVC's method, which lists a remote to learn which folders to make."""
    if not is_ours(odb.fs):
        original(odb, dname)


@replacement
def _asking(original: Any, odb: Any, oids: Any, *arguments: Any, **named: Any) -> Any:
    """In the place of DVC's method, which finds out how large a remote is before it lists it.

    What it needs is loaded where a store refuses to list.
    """
    from dvc_bucket.transfer.errors import StoreRefusedError

    wanted = list(oids)
    try:
        if (
            len(wanted) > 1
            and is_ours(odb.fs)
            and odb.fs.CAN_TRAVERSE
            and (paths := odb.fs.all_of_one_page(odb.path)) is not None
        ):
            return [oid for oid in wanted if odb.oid_to_path(oid) in paths]
        return _found(original(odb, wanted, *arguments, **named), wanted, odb)
    except StoreRefusedError:
        if odb.fs.CAN_TRAVERSE:
            raise
        return original(odb, wanted, *arguments, **named)


def _found(found: Any, wanted: list[str], odb: Any) -> Any:
    """Objects that are there; if the only one is not, the bucket may be what is missing."""
    if len(wanted) == 1 and not found and is_ours(odb.fs) and odb.fs.CAN_TRAVERSE:
        odb.fs.all_of_one_page(odb.path)
    return found


#: What makes our function of DVC's, by place.
OURS: Mapping[str, Callable[[Any], Any]] = {
    COPY: lambda _: _copy,
    TRANSFER: _at_once,
    EXIST: _asking,
    FOLDERS: _without_folders,
}
