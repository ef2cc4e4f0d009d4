"""obstore's client with the policy of retries in the place of its own.

The methods of a `PatientStore` ask by a client that asks once, `store.once`, and are tried again as
`retries` has it. Who makes `store.attempts()`, as the bytes of an answer are part of what is to be
tried again, asks that client as well.

A large file goes in parts, each of which is tried again: see `connection.parts`. Inside of a
listing of several pages obstore's own retries work, for the same time, as the pages that came would
be lost otherwise. It reads no `Retry-After`, and these retries are not counted.

obstore's functions, such as `obstore.get(store, key)`, know nothing of the policy: a few retries.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from obstore.exceptions import BaseError
from obstore.store import S3Store

from dvc_bucket.base.errors import TransferError
from dvc_bucket.connection import weather
from dvc_bucket.connection.clients.forked import ForkedStore, is_forked
from dvc_bucket.connection.retries import Attempts, Retries

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta

    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.connection.wire import Signed

#: A file up to this size goes in one request.
WHOLE_BYTES = 8 * 1024 * 1024

#: Parts of a larger one: at least of this size, at most so many, so many at a time.
PART_BYTES = 8 * 1024 * 1024
PARTS = 9_000
PARTS_AT_ONCE = 4

#: Connections that stay for large files.
CONNECTIONS = 16

#: obstore's words for an answer of a store without ranges; see `transfer.ranges`.
NOT_PARTIAL = "non-partial response"

#: Bytes of a body that are handed on at a time, at least.
PIECE = 1024 * 1024

#: What obstore does by itself: in its functions, in `once`, and inside of several requests, where
#: time alone is the limit.
FEW = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
ONCE = {"max_retries": 0, "retry_timeout": timedelta(0)}
MANY = 1000
BACKOFF = {
    "init_backoff": timedelta(milliseconds=100),
    "max_backoff": timedelta(seconds=8),
    "base": 2,
}

_making = threading.Lock()


class PatientStore(S3Store):
    """A bucket; make it with `patient`.

    In the child of a fork another client asks, and it can only read: see `clients.forked`.

    Attributes:
        settings: the connection.
        options: of obstore's S3Store.
    """

    settings: "Settings"
    options: dict[str, Any]
    _signed: "dict[int, Signed]"

    def attempts(self, method: str = "", key: str = "", *, is_inner: bool = False) -> Attempts:
        """The attempts at one request: see `retries`."""
        return self.retries.attempts(method, key, is_inner=is_inner)

    @property
    def retries(self) -> Retries:
        """The policy."""
        return Retries.of(self.settings)

    @property
    def once(self) -> S3Store:
        """The same bucket, without obstore's own retries."""
        return self._in_fork() or self._once

    @property
    def _steady(self) -> S3Store:
        """The same bucket, with those for calls that make several requests."""
        return self._in_fork() or self._persistent

    def _in_fork(self) -> S3Store | None:
        """What reads in the child of a fork, by the same methods; None elsewhere."""
        return cast("S3Store", ForkedStore(self.settings)) if is_forked() else None

    @cached_property
    def _once(self) -> S3Store:
        return S3Store(**self.options | {"retry_config": ONCE})

    @cached_property
    def _persistent(self) -> S3Store:
        seconds = timedelta(seconds=self.retries.seconds)
        config = {"max_retries": MANY, "retry_timeout": seconds, "backoff": BACKOFF}
        return S3Store(**self.options | {"retry_config": config if seconds else ONCE})

    @property
    def signed(self) -> "Signed":
        """The same bucket for requests that obstore cannot make: see `connection.parts`.

        A fork's child has its own: the connections of its parent are the parent's.
        """
        from dvc_bucket.connection.wire import Signed

        with _making:
            if (pid := os.getpid()) not in self._signed:
                self._signed[pid] = Signed(
                    self.settings,
                    (self.settings.connect_timeout, self.settings.read_timeout),
                    connections=CONNECTIONS,
                    trusts_any=bool(self.options["client_options"]["allow_invalid_certificates"]),
                    is_signed=not self.options["skip_signature"],
                )
            return self._signed[pid]

    def head(self, path: str) -> "ObjectMeta":
        """What the store says of an object."""
        return self.retries.call(self.once.head, path)

    def get(self, path: str, *, options: "GetOptions | None" = None) -> "GetResult":
        """The beginning of an answer; its bytes are no part of what is tried again."""
        return self.retries.call(self.once.get, path, options=options)

    def read(self, path: str, options: "GetOptions | None" = None) -> Any:
        """The bytes of an object, as obstore's `Bytes`."""
        return self.retries.call(_whole, path, self.once, options)

    def get_range(self, path: str, **named: Any) -> Any:
        """Some of them."""
        return self.retries.call(self.once.get_range, path, **named)

    def stream(self, path: str, size: int = PIECE) -> Iterator[bytes]:
        """The bytes of an object as they arrive; after a break the rest of the same version.

        Nothing else is to be asked of the store while they are read.

        Args:
            path: the key.
            size: of the pieces in bytes, at least.
        """
        at = 0
        tag: str | None = None
        for attempt in self.attempts("GET", path):
            with attempt:
                answer = self._rest(path, at, tag)
                tag, again = answer.meta["e_tag"], at - answer.range[0]
                for arrived in answer.stream(min_chunk_size=size):
                    piece = bytes(arrived)[again:] if again else arrived
                    again -= len(arrived) - len(piece)
                    if piece:
                        at += len(piece)
                        yield piece

    def _rest(self, path: str, at: int, tag: str | None) -> "GetResult":
        """The bytes from a place on of a version; all of it from a store that has no ranges."""
        options: GetOptions = {"if_match": tag} if tag else {}
        if at:
            try:
                return self.once.get(path, options={"range": {"offset": at}, **options})
            except BaseError as error:
                if NOT_PARTIAL not in str(error):
                    raise
        return self.once.get(path, options=options)

    def put(  # type: ignore[override]  # of obstore's, it takes the half
        self,
        path: str,
        file: Any,
        *,
        attributes: Any = None,
        sent: Callable[[int], None] = lambda _: None,
        **named: Any,
    ) -> None:
        """Store an object; a file above `WHOLE_BYTES` in parts.

        Args:
            path: the key.
            file: its bytes, or the path of a file.
            attributes: its user metadata.
            sent: hears how many bytes more the store has taken, of a file that goes in parts.
            named: of obstore's `put`, for a file that goes in one request.
        """
        if not isinstance(file, Path) or file.stat().st_size <= WHOLE_BYTES:
            named |= {"attributes": attributes, "use_multipart": False}
            self.retries.call(self.once.put, path, file, **named)
        else:
            from dvc_bucket.connection import parts

            parts.put(self, path, file, attributes or {}, sent)

    def delete(self, paths: Any) -> None:
        """Delete an object or several."""
        self.retries.call(self.once.delete, paths)

    def list(  # type: ignore[override]  # it has an iterator of its own
        self, prefix: str | None = None, *, offset: str | None = None, chunk_size: int = 1000
    ) -> Iterator[Any]:
        """Batches of what the store has, in its order.

        A listing that breaks off begins again, after the batches that are done: only the store
        knows how its order goes on.
        """
        done, last = 0, ""
        for attempt in self.attempts("list", prefix or "", is_inner=True):
            with attempt, _final_after_retries():
                batches = self._batches(done, prefix, offset, chunk_size)
                for number, batch in enumerate(batches, 1):
                    if number == done and batch[-1]["path"] != last:
                        raise TransferError(
                            "The bucket changed while it was listed. Run the command again."
                        )
                    if number > done:
                        done, last = number, batch[-1]["path"]
                        yield batch

    def _batches(
        self, done: int, prefix: str | None, offset: str | None, chunk_size: int
    ) -> Iterator[Any]:
        """Batches from the first on, by the client for the rest of a listing or for a new one."""
        if self.settings.is_swift_account:
            from dvc_bucket.connection import swift_account

            return swift_account.batches(self.settings, prefix, offset, chunk_size)
        store = self._steady if done else self.once
        return iter(store.list(prefix, offset=offset, chunk_size=chunk_size))

    def list_with_delimiter(self, prefix: str | None = None) -> Any:  # type: ignore[override]
        """The names right below a prefix."""
        if self.settings.is_swift_account:
            from dvc_bucket.connection import swift_account

            return self.retries.call(swift_account.level, self.settings, prefix)
        return self.retries.call(self.once.list_with_delimiter, prefix)


def part_size(size: int) -> int:
    """Bytes of a part of a file of so many bytes."""
    return max(PART_BYTES, -(-size // PARTS))


def patient(settings: "Settings", options: dict[str, Any]) -> PatientStore:
    """A bucket by the connection, and the options of obstore's S3Store."""
    store = PatientStore(**options | {"retry_config": FEW})
    store.settings, store.options, store._signed = settings, options, {}
    return store


def _whole(path: str, store: Any, options: "GetOptions | None") -> Any:
    return store.get(path, options=options).bytes()


@contextmanager
def _final_after_retries() -> Iterator[None]:
    """What obstore has tried again for as long as there is, is not tried again."""
    try:
        yield
    except BaseError as error:
        text = str(error)
        if f" max_retries: {MANY}," in text and " retries: 0," not in text:
            weather.make_final(error)
        raise
