"""Parts of objects, whatever a store makes of a request for a range of bytes.

S3 answers 206 and `Content-Range`. rclone's `serve s3` sends the range with 200 and the same
header. What stands before some stores drops the request's header, and the answer is the whole
object. obstore takes nothing but 206, with an error before any byte of the body. How a store
answers is found out at the first request for a range and remembered for the process.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from enum import Enum
from typing import TYPE_CHECKING, Any

from obstore import exceptions
from obstore.exceptions import BaseError

from dvc_bucket.connection.by_botocore import as_obstore_raises, client

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult

    from dvc_bucket.connection.clients.patient import PatientStore
    from dvc_bucket.connection.objects import ObjectRef
    from dvc_bucket.connection.settings import Settings


class RangeAnswer(Enum):
    """What a store makes of a request for a range."""

    PARTIAL = "the range, with 206"
    UNMARKED = "the range, with 200"
    WHOLE = "the whole object"


#: obstore's words for answers without a 206, or without the `Content-Range` that goes with it.
#: Source: object_store, client/get.rs, `GetResultError`.
NOT_PARTIAL = re.compile("non-partial response|CONTENT_RANGE|Content-Range|Requested .*, got ")

#: The answer to a request for a range of an empty object.
NO_RANGE = "416 "

#: A body that is passed over is read in pieces of this size.
PIECE_BYTES = 1024 * 1024

#: Stores that answer 206, by `Settings.where`; False for one that answers otherwise.
_answers_206: dict[str, bool] = {}

#: How the others answer.
_others: dict[str, RangeAnswer] = {}


def beginning(place: "ObjectRef", end: int) -> "GetResult":
    """An object, or of a larger one its first `end` bytes where the store answers 206.

    It is asked for once: its bytes are part of what the caller tries again.
    """
    if _answers_206.get(place.settings.where, True):
        try:
            return _partial(place.settings.where, place.store, place.key, {"range": (0, end)})
        except BaseError as error:
            if _answers_206.get(place.settings.where, True) and NO_RANGE not in str(error):
                raise
    return place.store.once.get(place.key)


def find_out(settings: "Settings", store: "PatientStore", key: str) -> RangeAnswer:
    """How a store answers; it is asked once in a process.

    Args:
        settings: the connection.
        store: a client made from them.
        key: of an object that is not empty.

    Raises:
        FileNotFoundError, BaseError: as obstore.
    """
    where = settings.where
    if where not in _answers_206:
        try:
            for attempt in store.attempts("GET", key):
                with attempt:
                    _partial(where, store, key, {"range": (0, 1)})
        except BaseError:
            if _answers_206.get(where, True):
                raise
    if _answers_206[where]:
        return RangeAnswer.PARTIAL
    if where not in _others:
        _others[where] = _other_answer(settings, key)
    return _others[where]


def read(
    settings: "Settings",
    store: "PatientStore",
    key: str,
    start: int,
    end: int,
    etag: str | None = None,
) -> Any:
    """The bytes from `start` to `end`, exclusive, of an object.

    Args:
        settings: the connection.
        store: a client made from them.
        key: of the object.
        start: the first byte.
        end: the one after the last.
        etag: of the version that is wanted; None for any.

    Raises:
        PreconditionError: the object has another ETag.
        FileNotFoundError, BaseError: as obstore.
    """
    if _answers_206.get(settings.where, True):
        options: GetOptions = {"range": (start, end)}
        if etag:
            options["if_match"] = etag
        try:
            for attempt in store.attempts("GET", key):
                with attempt:
                    content = _partial(settings.where, store, key, options).bytes()
        except BaseError:
            if _answers_206.get(settings.where, True):
                raise
        else:
            return content
    if find_out(settings, store, key) is RangeAnswer.UNMARKED:
        return _unmarked(settings, key, start, end, etag)
    return Whole(store, key, etag).read(start, end)


def _partial(where: str, store: "PatientStore", key: str, options: "GetOptions") -> "GetResult":
    """A range by obstore; notes whether the store answers 206.

    Raises:
        FileNotFoundError, BaseError: as obstore, also where it answers otherwise.
    """
    try:
        answer = store.once.get(key, options=options)
    except BaseError as error:
        if NOT_PARTIAL.search(str(error)):
            _answers_206[where] = False
        raise
    _answers_206.setdefault(where, True)
    return answer


class Whole:
    """Parts of an object out of an answer with the whole of it.

    Reads that go forward share one answer. For one thread.
    """

    def __init__(self, store: "PatientStore", key: str, etag: str | None = None) -> None:
        self._store, self._key = store, key
        self._options: GetOptions = {"if_match": etag} if etag else {}
        self._at, self._left = 0, memoryview(b"")
        self._pieces: Iterator[Any] | None = None

    def read_on(self, size: int) -> bytes:
        """The next bytes; less where the object ends."""
        return self.read(self._at, self._at + size)

    def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` to `end`, exclusive; less where the object ends."""
        for attempt in self._store.attempts("GET", self._key):
            with attempt:
                content = self._read(start, end)
        return content

    def _read(self, start: int, end: int) -> bytes:
        pieces, self._pieces = self._pieces, None  # of an answer that breaks off there is no more
        if pieces is None or start < self._at:
            answer = self._store.once.get(self._key, options=self._options)
            pieces = iter(answer.stream(PIECE_BYTES))
            self._at, self._left = 0, memoryview(b"")
        taken = bytearray()
        while self._at < end:
            if not self._left:
                self._left = memoryview(next(pieces, b""))
            if not self._left:
                break
            passed = min(len(self._left), max(0, start - self._at))
            wanted = min(len(self._left), end - self._at)
            taken += self._left[passed:wanted]
            self._left, self._at = self._left[wanted:], self._at + wanted
        self._pieces = pieces
        return bytes(taken)


def _other_answer(settings: "Settings", key: str) -> RangeAnswer:
    """Which of the two answers a store gives that does not answer 206."""
    with as_obstore_raises():
        answer = client(settings).get_object(**_range_of(settings, key, 0, 1))
        answer["Body"].close()
    is_range = answer.get("ContentRange", "").startswith("bytes 0-0/")
    return RangeAnswer.UNMARKED if is_range else RangeAnswer.WHOLE


def _unmarked(settings: "Settings", key: str, start: int, end: int, etag: str | None) -> bytes:
    """A range that comes with 200."""
    condition = {"IfMatch": etag} if etag else {}
    with as_obstore_raises():
        answer = client(settings).get_object(**_range_of(settings, key, start, end), **condition)
        with closing(answer["Body"]) as body:
            if not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
                raise exceptions.GenericError("the store honours range requests only sometimes")
            content: bytes = body.read()
    return content


def _range_of(settings: "Settings", key: str, start: int, end: int) -> dict[str, str]:
    return {"Bucket": settings.bucket_name, "Key": key, "Range": f"bytes={start}-{end - 1}"}
