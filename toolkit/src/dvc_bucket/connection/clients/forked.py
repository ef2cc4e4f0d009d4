"""A client for a process that was forked after its parent had used obstore.

obstore's threads do not live on in the child of a fork, and a call of it there waits for ever
(developmentseed/obstore, issues 214 and 441). botocore has no threads: it does the reading there.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import TransferError
from dvc_bucket.connection.by_botocore import as_obstore_raises, client

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

    from dvc_bucket.connection.settings import Settings

#: The processes that have used obstore: this one, and those it was forked from.
_users: set[int] = set()


def is_forked() -> bool:
    """Whether obstore would wait for ever here; if not, this process counts as one that uses it."""
    pid = os.getpid()
    if pid not in _users and _users:
        return True
    _users.add(pid)
    return False


class ForkedStore:
    """The part of obstore's S3Store that reads, by botocore; failures are as obstore raises them.

    Args:
        settings: the connection, with the bucket.
    """

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings

    def get(self, path: str, *, options: "GetOptions | None" = None) -> "ForkedAnswer":
        """The beginning of an answer."""
        asked: dict[str, Any] = dict(options or {})
        more: dict[str, Any] = {}
        if wanted := asked.get("range"):
            more["Range"] = f"bytes={_range_of(wanted)}"
        if tag := asked.get("if_match"):
            more["IfMatch"] = tag
        with as_obstore_raises():
            said = client(self._settings).get_object(**self._where(path), **more)
        return ForkedAnswer(path, said)

    def get_range(self, path: str, *, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`, exclusive."""
        return bytes(self.get(path, options={"range": (start, end)}).bytes())

    def head(self, path: str) -> "ObjectMeta":
        """What the store says of an object."""
        with as_obstore_raises():
            return _meta(path, client(self._settings).head_object(**self._where(path)))

    def __getattr__(self, name: str) -> Any:
        raise TransferError(
            "A process forked after its parent read from the store can only read; it called "
            f"{name}. Start the process with `spawn` or `forkserver` (multiprocessing.get_context)."
        )

    def _where(self, path: str) -> dict[str, str]:
        return {"Bucket": self._settings.bucket_name, "Key": path}


class ForkedAnswer:
    """What obstore's `GetResult` is.

    Attributes:
        meta: size, ETag and time of the object.
        range: the first byte of the body, and the one after its last.
    """

    def __init__(self, path: str, said: dict[str, Any]) -> None:
        self.meta, self._body = _meta(path, said), said["Body"]
        begin = said.get("ContentRange", "bytes 0-").split(" ")[1].partition("-")[0]
        self.range = (int(begin), int(begin) + said["ContentLength"])

    def stream(self, min_chunk_size: int) -> Iterator[bytes]:
        """Its pieces as they arrive."""
        with as_obstore_raises():
            yield from self._body.iter_chunks(min_chunk_size)

    def bytes(self) -> Any:
        """All of it."""
        with as_obstore_raises():
            return self._body.read()


def _meta(path: str, said: dict[str, Any]) -> "ObjectMeta":
    whole = said.get("ContentRange", "").rpartition("/")[2]
    return {
        "path": path,
        "size": int(whole) if whole.isdigit() else said["ContentLength"],
        "e_tag": said.get("ETag"),
        "last_modified": said["LastModified"],
        "version": said.get("VersionId"),
    }


def _range_of(wanted: Any) -> str:
    """A range of obstore's options as a header has it (RFC 9110, section 14.1.2)."""
    if isinstance(wanted, dict):
        return f"{wanted['offset']}-" if "offset" in wanted else f"-{wanted['suffix']}"
    start, end = wanted
    return f"{start}-{end - 1}"
