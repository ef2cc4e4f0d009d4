"""The objects of tracked files on the remote: their versions, and the errors where one is wrong."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import ChecksumError, MissingObjectError, NotPushedError
from dvc_bucket.dvc.remote import ids
from dvc_bucket.read.tracked import Tracked, TrackedFile
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from obstore import ObjectMeta

#: How many objects are looked up at once.
LOOKUPS = 32


def look_up(found: Tracked) -> "Mapping[str, ObjectMeta]":
    """Size, ETag and time, by path, of the objects of files on the remote.

    Raises:
        NotPushedError: one is not there.
        ChecksumError: one is not of the size that DVC noted.
        TransferError: the store refused or could not be reached.
    """
    import obstore

    def ask(file: TrackedFile) -> "ObjectMeta | None":
        try:
            with naming_failures(f"look up {file.path}", found.remote.settings):
                return obstore.head(found.remote.store, found.key(file))
        except MissingObjectError:
            return None

    with ThreadPoolExecutor(LOOKUPS) as pool:
        there = list(zip(found.files, pool.map(ask, found.files), strict=True))
    if missing := [file for file, version in there if version is None]:
        more = f" (and {len(missing) - 1:,} more of {len(there):,})" if missing[1:] else ""
        raise not_pushed(found, missing[0], more)
    known = [(file, version) for file, version in there if version is not None]
    for file, version in known:
        if file.size not in {None, version["size"]}:
            what = f"it has {version['size']:,} bytes, and DVC recorded {file.size:,}"
            raise damaged(found, file, what)
    return {file.path: version for file, version in known}


def sizes(found: Tracked) -> Mapping[str, int]:
    """Size in bytes, by path, of the objects of files on the remote; errors as of `look_up`."""
    return {path: version["size"] for path, version in look_up(found).items()}


def not_pushed(found: Tracked, file: TrackedFile, more: str = "") -> NotPushedError:
    """What to raise where a file is not on the remote."""
    return NotPushedError(
        f"{file.path} of {found.rev or 'the workspace'}{more} is not on the remote "
        f"{found.remote.address}. In a clone that has it: `bucket push`, or "
        f"`bucket verify{_rev(found)} --repair`."
    )


def damaged(
    found: Tracked, file: TrackedFile, what: str, cached: Path | None = None
) -> ChecksumError:
    """What to raise where a file is on the remote, or in the cache, with another content."""
    where = f"in the cache ({cached})" if cached else f"on the remote {found.remote.address}"
    fix = (
        "`bucket verify --cache --repair` moves it aside; then run `bucket pull`."
        if cached
        else "Repair it from a clone that has the data: "
        f"`bucket verify{_rev(found)} --deep --repair`."
    )
    return ChecksumError(
        f"{file.path} of {found.rev or 'the workspace'} is damaged {where}: {what}. {fix}"
    )


def other_md5(digest: str, file: TrackedFile) -> str:
    """What was found where the content has another MD5."""
    return f"its content has the MD5 {digest}, and DVC recorded {ids.md5(file.name)}"


def _rev(found: Tracked) -> str:
    return f" --rev {found.rev}" if found.rev else ""
