"""Objects of a bucket by their names there: `s3://bucket/key`, a prefix, or a pattern."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import (
    BucketError,
    ChecksumError,
    MissingObjectError,
    SettingsError,
)
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.connection.settings import Settings
from dvc_bucket.transfer import keys
from dvc_bucket.transfer.errors import StoreRefusedError, naming_failures
from dvc_bucket.transfer.files import MD5
from dvc_bucket.transfer.single import SHA256, SHA256_METADATA

if TYPE_CHECKING:
    from obstore import ObjectMeta

    from dvc_bucket.connection.clients.patient import PatientStore

#: What a name in the bucket begins with.
S3 = "s3://"

#: Signs of a pattern.
WILDCARDS = re.compile(r"[*?[]")

#: Empty objects that are looked up at once.
LOOKUPS = 16

#: Bytes of an object that are handed on at a time, at least.
PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class BucketObjects:
    """The objects that a name stands for.

    Attributes:
        settings: the connection, with their bucket.
        store: a client made from it.
        versions: key, size, ETag and time of each, in order of the keys.
        folder: of which their names are part; no slash at its end.
        is_object: the name is the key of the only one.
        left_out: keys below the name that cannot be fetched.
    """

    settings: Settings
    store: "PatientStore"
    versions: "Sequence[ObjectMeta]"
    folder: str
    is_object: bool
    left_out: Sequence[str] = ()


def find(url: str) -> BucketObjects:
    """The objects of a name: the key itself; else what is below it; else what it is a pattern of.

    The markers of folders, empty objects whose keys end with a slash, are left out.

    Raises:
        SettingsError: the name has no bucket, or the connection is not set up.
        MissingObjectError: there are none.
        TransferError: the store refused or could not be reached.
    """
    settings, key = parts(url)
    store, version = settings.obstore(), None
    with suppress(StoreRefusedError):  # so are those who may not know whether it is there
        version = _head(settings, store, key)
    if version:
        return BucketObjects(settings, store, [version], key.rpartition("/")[0], is_object=True)
    left_out: list[str] = []
    with naming_failures(f"list {url}", settings):
        folder = key.rstrip("/")
        versions = _below(settings, store, folder, left_out)
        if not versions and (fixed := fixed_part(key)) != key:
            folder = fixed.rpartition("/")[0]
            listed = _below(settings, store, folder, left_out)
            versions = [version for version in listed if fnmatchcase(version["path"], key)]
            left_out = [odd for odd in left_out if fnmatchcase(odd, key)]
        else:
            folder = folder.rpartition("/")[0]
    if not versions:
        raise _missing(url, settings, left_out)
    return BucketObjects(settings, store, versions, folder, is_object=False, left_out=left_out)


def pieces(url: str) -> Iterator[Any]:
    """The bytes of an object in pieces, compared in the end with what was promised of them.

    DVC's objects promise an MD5 by their names, and what `upload` has sent a SHA-256.

    Raises:
        ChecksumError: the bytes are not what was promised; all pieces may have come.
        MissingObjectError: there is no such object.
        SettingsError, TransferError: as `find`.
    """
    settings, key = parts(url)
    if not key or not keys.is_plain(key):
        raise _missing(url, settings, [key] if key else [])
    with naming_failures(f"read {url}", settings):
        store = settings.obstore()
        answer = store.get(key, options={"head": True})
        noted = str(answer.attributes.get(SHA256_METADATA, ""))
        promised = MD5.promised(key) or (noted if SHA256.fullmatch(noted) else None)
        digest = MD5.new() if MD5.promised(key) else hashlib.sha256()
        for piece in store.stream(key, PIECE_BYTES):
            digest.update(piece)
            yield piece
    if promised and digest.hexdigest() != promised:
        raise ChecksumError(
            f"{url} is damaged: its content has the hash {digest.hexdigest()}, expected "
            f"{promised}. Ask its publisher."
        )


def parts(url: str) -> tuple[Settings, str]:
    """The connection to the bucket of a name, and the key.

    Raises:
        SettingsError: the name has no bucket, or the connection is not set up.
    """
    bucket, _, key = url.removeprefix(S3).partition("/")
    if not bucket:
        raise SettingsError(f"{url} names no bucket. Write s3://bucket/key.")
    return Settings.load(Project.find()).model_copy(update={"bucket_name": bucket}), key


def fixed_part(pattern: str) -> str:
    """A pattern up to its first wildcard."""
    return WILDCARDS.split(pattern, maxsplit=1)[0]


def _head(settings: Settings, store: "PatientStore", key: str) -> "ObjectMeta | None":
    """The object of a key; None if there is none."""
    if not key or key.endswith("/") or not keys.is_plain(key):
        return None
    try:
        with naming_failures(f"look up s3://{settings.bucket_name}/{key}", settings):
            return store.head(key)
    except MissingObjectError:
        return None


def _below(
    settings: Settings, store: "PatientStore", folder: str, left_out: list[str]
) -> "list[ObjectMeta]":
    """The objects below a folder, which may be empty for the bucket."""
    objects: list[ObjectMeta] = []
    batches = keys.objects(settings, store, folder or None, lambda odd, _: left_out.append(odd))
    for batch in batches:
        objects += [item for item in batch if not folder or item["path"].startswith(f"{folder}/")]
    empty = [item["path"] for item in objects if item["size"] == 0]
    with ThreadPoolExecutor(LOOKUPS) as pool, interruptible():
        heads = pool.map(lambda key: _head(settings, store, key), empty)
        markers = {key for key, head in zip(empty, heads, strict=True) if head is None}
    return [item for item in objects if item["path"] not in markers]


def _missing(url: str, settings: Settings, left_out: Sequence[str]) -> BucketError:
    odd = f" {keys.said_of(left_out)}" if left_out else ""
    return MissingObjectError(
        f"{settings.endpoint_url} has no object {url}.{odd} `bucket ls "
        f"s3://{settings.bucket_name}/` lists the objects."
    )
