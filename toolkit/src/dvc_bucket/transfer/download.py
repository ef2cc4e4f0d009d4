"""Objects to files: hashed while they arrive, and named only when they are proven right."""

import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Self

import obstore
from obstore.exceptions import BaseError

from dvc_bucket.transfer.contents import MD5, ContentHash
from dvc_bucket.transfer.errors import WrongContentError, explained
from dvc_bucket.transfer.files import Unfinished, promised_md5
from dvc_bucket.transfer.pool import Budget

if TYPE_CHECKING:
    from obstore import GetResult

    from dvc_bucket.connection.objects import ObjectRef

#: A body up to this size is taken in one piece.
WHOLE_BYTES = 1024 * 1024

#: Of one above this size the rest is fetched in several streams at once ...
LARGE_BYTES = 32 * 1024 * 1024

#: ... of ranges of this size.
RANGE_BYTES = 8 * 1024 * 1024
STREAMS = 4

#: ... which is written in pieces of about this size, as they come, from the CPU's cache still.
#: Whole ranges cost three times the kernel's time.
PIECE_BYTES = 1024 * 1024

#: What is said to who wants a range of an empty object.
NO_RANGE = "416 "

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
        explain: makes an exception of the client one of ours, from it, the rest of the sentence
            "Could not ..." and the name of store and bucket.

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
        explain: Callable[[BaseException, str, str], BaseException] = explained,
    ) -> None:
        self.answer_seconds = float("inf")
        self.received = 0
        self._unfinished = unfinished
        self._content = content
        self._budget = budget or Budget()
        self._mode = mode
        self._explain = explain

    def __call__(self, place: "ObjectRef", target: str, written: float | None = None) -> None:
        """Fetch one object.

        Args:
            place: where it is.
            target: the file.
            written: time that the file is to have, in seconds since 1970; None for now.

        Raises:
            WrongContentError: its bytes are not what its name promises, twice.
            StoreError: the store does not serve it.
            FileNotFoundError: there is no such object.
        """
        promised = self._content.promised(target) or self._content.promised(place.key)
        for _ in range(2):
            found = self._fetch(place, target, promised, written)
            if found is None:
                return
        raise WrongContentError(
            f"{place.url} is damaged: its bytes have the {self._content.label} {found}, asked for "
            "twice, and its name promises another. It was not put anywhere. Push it again from a "
            "clone that has it, after deleting it from the bucket.",
            found or "",
        )

    def _fetch(
        self, place: "ObjectRef", target: str, promised: str | None, written: float | None
    ) -> str | None:
        """Fetch once; returns the hash that was found where it is not the promised one."""
        try:
            answer = self._answer(place, promised)
            size = answer.meta["size"]
            if size <= WHOLE_BYTES:
                return self._small(answer, target, promised, written)
            digest = self._content.new()
            with (
                self._unfinished.file(target, self._mode_of(target)) as file,
                _Rest(place, size, answer.meta["e_tag"], file, self._budget) as rest,
            ):
                for piece in answer.stream(WHOLE_BYTES):
                    digest.update(piece)
                    self.received += len(piece)
                    _write(file, memoryview(piece))
                for size in rest.add_to(digest):
                    self.received += size
                _compare(digest.hexdigest(), promised)
                _set_time(file, written)
        except _MismatchError as error:
            return str(error)
        except Exception as error:
            raise self._explain(error, f"download {place.url}", place.where) from error
        return None

    def _answer(self, place: "ObjectRef", promised: str | None) -> "GetResult":
        """The object, or, of a large one, the beginning; its size and tag in any case."""
        start = time.perf_counter()
        options: obstore.GetOptions = {"range": (0, LARGE_BYTES)}
        if promised == self._content.of(b""):  # no range is in an empty object
            options = {}
        try:
            answer = obstore.get(place.store, place.key, options=options)
        except BaseError as error:
            if NO_RANGE not in str(error):
                raise
            answer = obstore.get(place.store, place.key)
        self.answer_seconds = min(self.answer_seconds, time.perf_counter() - start)
        return answer

    def _small(
        self, answer: "GetResult", target: str, promised: str | None, written: float | None
    ) -> str | None:
        """The usual case, with as few steps as can be."""
        body = answer.bytes()
        found = self._content.of(body) if promised else None
        if found != promised:
            return found
        with self._unfinished.file(target, self._mode_of(target)) as file:
            _write(file, memoryview(body))
            _set_time(file, written)
        self.received += len(body)
        return None

    def _mode_of(self, target: str) -> int:
        return CACHE_MODE if promised_md5(target) else self._mode


class _MismatchError(Exception):
    """The hash that was found."""


def _compare(found: str, promised: str | None) -> None:
    if promised and found != promised:
        raise _MismatchError(found)


class _Rest:
    """The rest of a large object: ranges arrive in any order and are hashed in theirs.

    As a context: they begin to arrive with the block, and none is under way after it.
    """

    def __init__(
        self, place: "ObjectRef", size: int, tag: str | None, file: int, budget: Budget
    ) -> None:
        self._place, self._tag, self._file, self._budget = place, tag, file, budget
        starts = range(LARGE_BYTES, size, RANGE_BYTES)
        self._todo = deque((start, min(start + RANGE_BYTES, size)) for start in starts)
        self._order = list(starts)
        self._arrived: dict[int, list[memoryview]] = {}
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._turn = threading.Lock()
        count = min(STREAMS, len(starts))
        self._threads = [threading.Thread(target=self._stream, daemon=True) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._todo.clear()
        for thread in self._threads:
            thread.join()
        for _left in self._arrived:
            self._budget.give_back(RANGE_BYTES)

    def add_to(self, digest: "hashlib._Hash") -> Iterator[int]:
        """Wait for all, one by one: how many bytes more are in the file."""
        for start in self._order:
            with self._changed:
                while start not in self._arrived and not self._failure:
                    self._changed.wait()
                if self._failure:
                    raise self._failure
                pieces = self._arrived.pop(start)
            for piece in pieces:
                digest.update(piece)
            yield sum(map(len, pieces))
            self._budget.give_back(RANGE_BYTES)

    def _stream(self) -> None:
        """Fetch one range after the other."""
        while True:
            # Bytes are taken before the range is: so the lowest range never waits for others.
            with self._turn:
                self._budget.take(RANGE_BYTES)
                try:
                    start, end = self._todo.popleft()
                except IndexError:
                    self._budget.give_back(RANGE_BYTES)
                    return
            try:
                pieces = self._range(start, end)
            except BaseException as error:
                self._budget.give_back(RANGE_BYTES)
                with self._changed:
                    self._failure = error
                    self._changed.notify()
                return
            with self._changed:
                self._arrived[start] = pieces
                self._changed.notify()

    def _range(self, start: int, end: int) -> list[memoryview]:
        """The pieces of a range; each is written as it comes, while it is in the CPU's cache."""
        options: obstore.GetOptions = {"range": (start, end)}
        if self._tag:
            options["if_match"] = self._tag
        pieces, at = [], start
        answer = obstore.get(self._place.store, self._place.key, options=options)
        for arrived in answer.stream(PIECE_BYTES):
            piece = memoryview(arrived)
            pieces.append(piece)
            at = write_at(self._file, piece, at)
        if at != end:
            raise ConnectionError(f"{self._place.url} broke off")
        return pieces


def write_at(file: int, piece: memoryview, at: int) -> int:
    """Write all of it to a place in a file; where it ends."""
    while piece:
        written = os.pwrite(file, piece, at)
        at += written
        piece = piece[written:]
    return at


def _set_time(file: int, written: float | None) -> None:
    """Before the file has its name: so it has this time whenever somebody sees it."""
    if written is not None:
        os.utime(file, (written, written))


def _write(file: int, body: memoryview) -> None:
    """All of it: one call can write less than it was given."""
    while body:
        body = body[os.write(file, body) :]
