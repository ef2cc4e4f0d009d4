"""Downloads an object to a file, which gets its name only if the bytes have the promised hash.

1. One request asks for the object, at most the first 32 MiB of it. Its answer has the size. A store
   without ranges (`ranges`) is asked for all of it.
2. The bytes go to an unfinished file and into the hash, piece by piece, as they arrive.
3. Of a larger object, threads fetch the rest meanwhile: ranges of up to 8 MiB, four at once. They
   arrive in any order, and are hashed in theirs.
4. With the promised hash, or where the name promises none, the file is renamed to the target. With
   another one the object is fetched twice more, and then it counts as damaged.
"""

import os
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import obstore

from dvc_bucket.connection.weather import WRONG_TRIES, WrongBytesError
from dvc_bucket.transfer import ranges
from dvc_bucket.transfer.errors import WrongContentError, naming_failures
from dvc_bucket.transfer.files import MD5, ContentHash, Unfinished, promised_md5
from dvc_bucket.transfer.pool import UNCOUNTED_BYTES, Budget

if TYPE_CHECKING:
    from multiprocessing.pool import AsyncResult

    from _typeshed import ReadableBuffer
    from obstore import GetResult

    from dvc_bucket.connection.objects import ObjectRef

#: An object up to this size is taken in one piece.
WHOLE_BYTES = 1024 * 1024

#: The most that the first request asks for, the size of the ranges beyond it, and how many ranges
#: are requested at once.
LARGE_BYTES = 32 * 1024 * 1024
RANGE_BYTES = 8 * 1024 * 1024
STREAMS = 4

#: Ranges of an object that are on their way or wait to be hashed.
RANGES_AHEAD = 2 * STREAMS

#: A range is written in pieces of about this size, while they are in the CPU's cache. Whole ranges
#: cost three times the kernel's time.
PIECE_BYTES = 256 * 1024

#: What an answer holds that arrives in pieces: one that is written, and one on its way.
STREAM_BYTES = 2 * PIECE_BYTES

#: Permissions of a file of the cache, as DVC leaves it, and of any other.
CACHE_MODE = 0o444
OTHER_MODE = 0o666


class Download:
    """Fetches objects, for the threads of one transfer.

    Args:
        unfinished: where they are until they are complete.
        content: the hash that their names promise.
        budget: of memory, that others take from, too.
        mode: permissions of files outside of a cache, as far as the umask lets them.

    Attributes:
        answer_seconds: the shortest time that the store took to answer.
        received: bytes that arrived, about: threads may count at the same time.
    """

    def __init__(
        self,
        unfinished: Unfinished,
        content: ContentHash = MD5,
        budget: Budget | None = None,
        mode: int = OTHER_MODE,
    ) -> None:
        self.answer_seconds = float("inf")
        self.received = 0
        self._unfinished = unfinished
        self._content, self._empty = content, content.of(b"")
        self._budget = budget or Budget()
        self._mode = mode

    def __call__(
        self,
        place: "ObjectRef",
        target: str,
        written: float | None = None,
        body: bytes | None = None,
    ) -> None:
        """Fetch one object.

        Args:
            place: where it is.
            target: the file.
            written: time that the file is to have, in seconds since 1970; None for now.
            body: its bytes, if they are here and right; the store is not asked then.

        Raises:
            WrongContentError: its bytes are not what its name promises, three times.
            StoreError: the store does not serve it.
            MissingObjectError: there is no such object.
            DiskError: the disk takes no more data.
        """
        promised = self._content.promised(target) or self._content.promised(place.key)
        try:
            with naming_failures(f"download {place.url}", place.settings):
                if body is not None:
                    self._write(body, target, written)
                    return
                for attempt in place.store.attempts("GET", place.key):
                    with attempt:
                        self._fetch(place, target, promised, written)
        except WrongBytesError as error:
            raise WrongContentError(
                f"{place.url} is damaged: its content has the {self._content.label} {error}, "
                f"which does not match its name (tried {WRONG_TRIES} times). Nothing was written. "
                "Delete it from the bucket and push it again from a clone that has it.",
                str(error),
            ) from None

    def _fetch(
        self, place: "ObjectRef", target: str, promised: str | None, written: float | None
    ) -> None:
        """Fetch once.

        Raises:
            WrongBytesError: the bytes have another hash than the promised one.
        """
        answer = self._answer(place, promised)
        size = answer.meta["size"]
        if size <= UNCOUNTED_BYTES:
            self._small(answer, target, promised, written)
            return
        if size <= WHOLE_BYTES:
            with self._budget.of(size):
                self._small(answer, target, promised, written)
            return
        digest = self._content.new()
        with (
            self._unfinished.file(target, self._mode_of(target)) as file,
            closing(self._pieces(place, answer, file)) as pieces,
        ):
            for piece in pieces:
                if promised:
                    digest.update(piece)
                self.received += len(piece)
            _compare(digest.hexdigest(), promised)
            _set_time(file, written)

    def _answer(self, place: "ObjectRef", promised: str | None) -> "GetResult":
        """The object, or, of a large one, the beginning; its size and tag in any case."""
        start = time.perf_counter()
        if promised == self._empty:  # no range is in an empty object
            answer = place.store.once.get(place.key)
        else:
            answer = ranges.beginning(place, LARGE_BYTES)
        self.answer_seconds = min(self.answer_seconds, time.perf_counter() - start)
        return answer

    def _small(
        self, answer: "GetResult", target: str, promised: str | None, written: float | None
    ) -> None:
        """The same of a small object, with as few steps as possible."""
        body = answer.bytes()
        if promised:
            _compare(self._content.of(body), promised)
        self._write(body, target, written)
        self.received += len(body)

    def _write(self, body: "ReadableBuffer", target: str, written: float | None) -> None:
        """Put bytes that are right into a file."""
        with self._unfinished.file(target, self._mode_of(target)) as file:
            write_at(file, memoryview(body), 0)
            _set_time(file, written)

    def _pieces(self, place: "ObjectRef", answer: "GetResult", file: int) -> Generator[memoryview]:
        """The pieces of an object, in order; each is in the file already.

        The rest of a large one is fetched in ranges while its beginning arrives.
        """
        if answer.range[1] == answer.meta["size"]:  # small, or of a store without ranges
            with self._budget.of(STREAM_BYTES):
                yield from _write_all(file, answer, 0)
            return
        from multiprocessing.pool import ThreadPool  # its threads do not outlive an interrupt

        size, tag = answer.meta["size"], answer.meta["e_tag"]
        todo = deque(ranges_beyond(size))
        ahead: deque[AsyncResult[list[memoryview]]] = deque()
        with ThreadPool(min(STREAMS, len(todo))) as threads:

            def request(*, wait: bool) -> None:
                """Request more ranges, as far as the budget allows; wait for it if told to."""
                while todo and len(ahead) < RANGES_AHEAD:
                    if not self._budget.take(RANGE_BYTES, wait=wait and not ahead):
                        return
                    ahead.append(threads.apply_async(_range, (place, tag, file, *todo.popleft())))

            try:
                with self._budget.of(STREAM_BYTES):  # it waits for that while it holds nothing
                    request(wait=False)
                    yield from _write_all(file, answer, 0)
                while todo or ahead:
                    request(wait=True)  # only if it holds nothing for which another one waits
                    yield from ahead[0].get()
                    ahead.popleft()
                    self._budget.give_back(RANGE_BYTES)
            finally:
                todo.clear()
                for result in ahead:
                    result.wait()
                    self._budget.give_back(RANGE_BYTES)

    def _mode_of(self, target: str) -> int:
        return CACHE_MODE if promised_md5(target) else self._mode


def ranges_beyond(size: int) -> Iterator[tuple[int, int]]:
    """The ranges of an object of so many bytes beyond its first request: start, and end, exclusive.

    The first of each stream has another length. So the streams do not all wait for their next
    answer at the same time, in which a link that is far away carries nothing.
    """
    start = LARGE_BYTES
    for number in count(1):
        if start >= size:
            return
        end = min(start + RANGE_BYTES * min(number, STREAMS) // STREAMS, size)
        yield start, end
        start = end


def _compare(digest: str, promised: str | None) -> None:
    if promised and digest != promised:
        raise WrongBytesError(digest)


def _set_time(file: int, written: float | None) -> None:
    """Set the time of a file before it has its name."""
    if written is not None:
        os.utime(file, (written, written))


def _range(
    place: "ObjectRef", tag: str | None, file: int, start: int, end: int
) -> list[memoryview]:
    """Fetch a range of the version of an object that has this tag, and write it to the file."""
    options: obstore.GetOptions = {"range": (start, end)}
    if tag:
        options["if_match"] = tag
    pieces: list[memoryview] = []
    for attempt in place.store.attempts("GET", place.key, is_inner=True):
        with attempt:
            answer = place.store.once.get(place.key, options=options)
            pieces = list(_write_all(file, answer, start))
            if sum(map(len, pieces)) != end - start:
                raise ConnectionError(f"{place.url} broke off")
    return pieces


def _write_all(file: int, answer: "GetResult", at: int) -> Iterator[memoryview]:
    """The pieces of an answer, each written as it arrives."""
    for arrived in answer.stream(PIECE_BYTES):
        piece = memoryview(arrived)
        at = write_at(file, piece, at)
        yield piece


def write_at(file: int, piece: memoryview, at: int) -> int:
    """Write all of it to a place in a file; where it ends."""
    while piece:
        written = os.pwrite(file, piece, at)
        at += written
        piece = piece[written:]
    return at
