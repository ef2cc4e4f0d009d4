"""Objects between the bucket and the disk: streamed, verified, atomic."""

import hashlib
import re
from array import array
from pathlib import Path

from dvc_bucket.base.errors import ChecksumError, MissingObjectError
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.connection.settings import Settings
from dvc_bucket.transfer.errors import WrongContentError, naming_failures
from dvc_bucket.transfer.files import ContentHash, Unfinished

#: Name of the user metadata in which `upload` leaves an object's SHA-256.
SHA256_METADATA = "sha256"

#: How it looks there.
SHA256 = re.compile("[0-9a-f]{64}")


def download(
    key: str, path: Path, *, sha256: str | None = None, settings: Settings | None = None
) -> int:
    """Fetch the object `key` to the file `path` and return its size in bytes.

    The file is written under a temporary name beside `path` and renamed when it is complete, so
    `path` never has half an object. Its SHA-256 must be `sha256` (hexadecimal) or, without that
    argument, the one that `upload` stored with the object. Without either, the content is not
    proven.

    Raises:
        MissingObjectError: the bucket has no such key.
        ChecksumError: the content does not have the expected SHA-256.
        TransferError: the store refused or could not be reached.
    """
    from dvc_bucket.transfer.download import Download

    settings = settings or Settings.load()
    promised = sha256 or stored_sha256(key, settings=settings)
    content = ContentHash("SHA-256", hashlib.sha256, lambda _: promised)
    place = ObjectRef.of(settings, key)

    with Unfinished() as unfinished:
        unfinished.prepare([str(path)])
        try:
            Download(unfinished, content)(place, str(path))
        except WrongContentError as error:
            raise ChecksumError(
                f"{place.url} has SHA-256 {error.found}, expected {promised}. The object was "
                "replaced or damaged; nothing was written. Ask its publisher, or correct the "
                "expected sum if you want the new content."
            ) from None
    return path.stat().st_size


def upload(path: Path, key: str, *, settings: Settings | None = None) -> int:
    """Store the file `path` as the object `key` and return its size in bytes.

    The SHA-256 of the file is stored as user metadata, so `stored_sha256` can later compare the
    object without a download.

    Raises:
        SettingsError: there are no keys.
        TransferError: the store refused or could not be reached.
    """
    settings = settings or Settings.load()
    settings.check_may_write("An upload")
    with naming_failures(f"upload {key}", settings):
        settings.obstore().put(key, path, attributes={SHA256_METADATA: file_sha256(path)})
    return path.stat().st_size


def stored_sha256(key: str, *, settings: Settings | None = None) -> str | None:
    """The SHA-256 that `upload` stored with `key`; None if there is no object or no SHA-256.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    settings = settings or Settings.load()
    try:
        with naming_failures(f"look up {key}", settings):
            answer = settings.obstore().get(key, options={"head": True})
    except MissingObjectError:
        return None
    noted = str(answer.attributes.get(SHA256_METADATA, ""))
    return noted if SHA256.fullmatch(noted) else None  # else others left it in its place


def count_objects(prefix: str, *, settings: Settings | None = None) -> tuple[int, int]:
    """Number and total bytes of the objects below `prefix`.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    from dvc_bucket.transfer import keys

    settings = settings or Settings.load()
    sizes = array("Q")
    with naming_failures(f"list {prefix}", settings):
        store = settings.obstore()
        batches = keys.objects(settings, store, prefix, lambda _, size: sizes.append(size))
        for batch in batches:
            sizes.extend(item["size"] for item in batch)
    return len(sizes), sum(sizes)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
