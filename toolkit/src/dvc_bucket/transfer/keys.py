"""The keys of a bucket, also of one with keys that obstore does not take.

obstore knows no key with an empty part, `.` or `..` between slashes, or a control character, and
ends a listing at the first one. Then botocore lists, which takes any; keys of that kind are told
apart, and the others come as ever. Some stores cannot write a control character into the XML that
obstore asks for, and answer 500.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from obstore.exceptions import BaseError, InvalidPathError

from dvc_bucket.base.words import counted, shortened
from dvc_bucket.connection.by_botocore import as_obstore_raises, client

if TYPE_CHECKING:
    from obstore import ObjectMeta

    from dvc_bucket.connection.clients.patient import PatientStore
    from dvc_bucket.connection.settings import Settings

#: Keys to a page, at most: S3's own limit.
PAGE = 1000

#: What a store answers that fails at one of the keys.
BROKEN = re.compile(r"status code: 500\b")

#: Characters that obstore refuses. Source: object_store, path/parts.rs.
CONTROL = re.compile(r"[\x00-\x1f\x7f]")

#: Keys that are named one by one.
MAX_LISTED_KEYS = 3


def objects(
    settings: "Settings",
    store: "PatientStore",
    prefix: str | None,
    odd: Callable[[str, int], None] = lambda *_: None,
    *,
    offset: str | None = None,
    page: int = PAGE,
) -> Iterator[Sequence["ObjectMeta"]]:
    """The objects of a bucket, or below a prefix, in batches.

    Args:
        settings: the connection.
        store: a client made from them.
        prefix: a folder; None for all of the bucket.
        odd: hears of each key that cannot be fetched, and of the object's size.
        offset: keys up to this one are left out, by a store that can do that.
        page: keys to a page, at most.

    Raises:
        BaseError: as obstore.
    """
    listed = 0
    try:
        for batch in store.list(prefix, offset=offset, chunk_size=page):
            listed += len(batch)
            if settings.is_swift_account:  # obstore has not looked at these
                for item in batch:
                    if not is_plain(item["path"]):
                        odd(item["path"], item["size"])
                batch = [item for item in batch if is_plain(item["path"])]
            yield batch
    except BaseError as error:
        if not isinstance(error, InvalidPathError) and not BROKEN.search(str(error)):
            raise
        yield from _by_botocore(settings, prefix, offset, listed, odd)


def is_plain(key: str) -> bool:
    """Whether obstore takes a key as it is."""
    return not CONTROL.search(key) and not {"", ".", ".."} & {*key.split("/")}


def said_of(odd: Sequence[str]) -> str:
    """A sentence about keys that cannot be fetched."""
    names = shortened([repr(key) for key in odd], MAX_LISTED_KEYS)
    return (
        f"{counted(len(odd), 'key')} skipped, with an empty part, `..` or a control character: "
        f"{', '.join(names)}. Use another client with `bucket run` to reach them."
    )


def _by_botocore(
    settings: "Settings",
    prefix: str | None,
    offset: str | None,
    listed: int,
    odd: Callable[[str, int], None],
) -> Iterator[Sequence["ObjectMeta"]]:
    """The rest of a listing, of which so many objects are known."""
    below = f"{prefix.rstrip('/')}/" if prefix else ""
    pages = client(settings).get_paginator("list_objects_v2")
    start = {"StartAfter": offset} if offset else {}
    listing = iter(pages.paginate(Bucket=settings.bucket_name, Prefix=below, **start))
    while True:
        with as_obstore_raises():
            page = next(listing, None)
        if page is None:
            return
        batch: list[ObjectMeta] = []
        for entry in page.get("Contents", ()):
            # obstore has the markers of folders without their slash, too.
            if not is_plain(key := entry["Key"].removesuffix("/")):
                odd(entry["Key"], entry["Size"])
            elif listed:
                listed -= 1
            else:
                batch.append(_as_of_obstore(key, entry))
        if batch:
            yield batch


def _as_of_obstore(key: str, entry: dict[str, Any]) -> "ObjectMeta":
    return {
        "path": key,
        "last_modified": entry["LastModified"],
        "size": entry["Size"],
        "e_tag": entry.get("ETag"),
        "version": None,
    }
