"""DVC's S3 file system, with what its everyday commands ask of a remote answered by obstore.

Everything that is not overridden here is dvc-s3's own; its client is made when that first needs it.
The overrides answer for objects of a remote in DVC's layout; other paths, such as those that
`dvc import-url` names, have oddities of S3 that are left to dvc-s3, but for the bytes themselves.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, TypeVar

from fsspec.callbacks import DEFAULT_CALLBACK
from obstore.exceptions import BaseError

from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.dvc.patched import questions
from dvc_bucket.dvc.patched.channel import say_once
from dvc_bucket.dvc.patched.errors import shown_by_dvc
from dvc_bucket.dvc.patched.questions import LAYOUT, explained, parent
from dvc_bucket.dvc.patched.staying import StayingS3FileSystem
from dvc_bucket.transfer import unlisted
from dvc_bucket.transfer.delete import delete
from dvc_bucket.transfer.keys import PAGE, is_plain
from dvc_bucket.transfer.options import NotHonouredError, connection

if TYPE_CHECKING:
    from dvc_bucket.connection.clients.patient import PatientStore
    from dvc_bucket.connection.settings import Settings

Answer = TypeVar("Answer")

#: Objects of one folder from which on its listing is cheaper than a request for each.
LISTED_FROM = 4


class FastS3FileSystem(StayingS3FileSystem):
    """An S3 remote; paths are `bucket/key`, as everywhere in DVC."""

    def __init__(self, fs: Any = None, **config: Any) -> None:
        super().__init__(fs=fs, **config)
        self._given = fs is not None
        self._stores: dict[str, tuple[PatientStore, Settings] | None] = {}
        self._seen = questions.Seen()

    def place(self, path: str) -> ObjectRef | None:
        """Where an object is; None where only DVC's own client can reach it."""
        bucket, _, key = path.partition("/")
        if bucket not in self._stores:
            self._stores[bucket] = self._store(bucket)
        client = self._stores[bucket]
        if client is None or not is_plain(key):
            return None
        return ObjectRef(client[0], key, client[1])

    def list_at_hand(self, place: ObjectRef) -> bytes | None:
        """The list of a directory that was read just now, proven to be what its name promises."""
        with suppress(KeyError):
            return self._seen.list_at(place)
        return None

    def forget_listings(self) -> None:
        """Objects were added without dvc-s3's client, which remembers what it has listed."""
        self._seen.forget()
        if "fs" in self.__dict__:
            self.fs.invalidate_cache()

    def exists(
        self, path: Any, callback: Any = DEFAULT_CALLBACK, batch_size: int | None = None
    ) -> Any:
        """Whether there is such an object or folder; for a list of paths a list of answers.

        Who asks for the lists of directories goes on to ask for all objects: where these are one
        page of a listing, the page comes at the same time.
        """
        paths = [path] if isinstance(path, str) else path
        places = [self._place_of_ours(each) for each in paths]
        if not all(places):
            return super().exists(path, callback=callback, batch_size=batch_size)
        if isinstance(path, str):
            return self._ask(self._is_there, places[0])
        callback.set_size(len(paths))
        keys = self._existing([place for place in places if place], batch_size or self.jobs)
        callback.relative_update(len(paths))
        return [place.key in keys for place in places if place]

    def isfile(self, path: str) -> bool:
        """Whether there is such an object."""
        if not (place := self._place_of_ours(path)):
            return bool(super().isfile(path))
        return self._ask(questions.is_object, place)

    def find(
        self, path: Any, prefix: bool = False, batch_size: int | None = None, **named: Any
    ) -> Iterator[str]:
        """Every object below a path, or, with `prefix`, whose name begins with it; or several."""
        paths = [path] if isinstance(path, str) else list(path)
        # Folders whose names begin so: SeaweedFS leaves one out that a listing starts after.
        folders = prefix and any(parent(each).endswith(LAYOUT) for each in paths)
        places = [self._place_of_ours(each) for each in paths]
        if named or folders or not all(places):
            yield from super().find(path, prefix=prefix, batch_size=batch_size, **named)
            return
        wanted = [place for place in places if place]
        begins = [prefix and not each.endswith("/") for each in paths]
        if len(wanted) == 1:
            yield from self._listed(wanted[0], begins[0])
            return
        with ThreadPoolExecutor(batch_size or self.jobs) as threads, interruptible():
            for names in threads.map(lambda *of: list(self._listed(*of)), wanted, begins):
                yield from names

    def ls(self, path: str, detail: bool = False, **named: Any) -> Any:
        """The names right below a folder."""
        place = None if detail or named else self._place_of_ours(path)
        if not place:
            return super().ls(path, detail=detail, **named)
        names = self._ask(questions.names, place)
        if not names and not self.isfile(path):
            raise FileNotFoundError(path)
        return names

    def open(self, path: str, mode: str = "r", **named: Any) -> Any:
        """A file to read: the list of a directory at once, anything else as dvc-s3 does."""
        place = self._place_of_ours(path)
        if not place or mode not in {"r", "rt", "rb"} or not path.endswith(".dir"):
            return super().open(path, mode=mode, **named)
        body = self._ask(lambda each: questions.list_of(each, self._seen), place)
        if mode == "rb":
            return io.BytesIO(body)
        return io.TextIOWrapper(io.BytesIO(body), named.get("encoding") or "utf-8")

    def rm(self, path: Any, recursive: bool = False, **named: Any) -> None:
        """Delete objects, as `gc` does; other paths as dvc-s3 does."""
        paths = [path] if isinstance(path, str) else list(path)
        places = [place for place in map(self._place_of_ours, paths) if place]
        if recursive or named or not paths or len(places) < len(paths):
            super().rm(path, recursive=recursive, **named)
            return
        with shown_by_dvc():
            delete(places, lambda one: self.fs.rm_file(one), self.jobs)
        self.forget_listings()

    remove = rm

    def all_of_one_page(self, path: str) -> set[str] | None:
        """Paths of all objects below a path; None where that takes more than a page of a listing.

        Raises:
            StoreRefusedError: the key may not list; each object is to be asked for.
        """
        place = self._place_of_ours(path)
        if place is None:
            return None
        with suppress(KeyError):
            return self._seen.take_page(place)
        with self._listing(place):
            return questions.all_of_one_page(place)

    def _place_of_ours(self, path: str) -> ObjectRef | None:
        return self.place(path.removesuffix("/")) if LAYOUT in path else None

    def _store(self, bucket: str) -> "tuple[PatientStore, Settings] | None":
        """The client of a bucket, and the connection that it is made of."""
        from dvc_bucket.base.errors import SettingsError
        from dvc_bucket.connection import clients

        if self._given:
            return None
        try:
            described = connection(self.config, bucket)
            store = clients.obstore(described.settings, described.client, **described.store)
        except (NotHonouredError, SettingsError) as reason:
            say_once(
                f"DVC's own S3 client transfers the data, which is slower. The reason: {reason}."
            )
            return None
        return store, described.settings

    def _ask(self, question: "Callable[[ObjectRef], Answer]", place: Any) -> "Answer":
        """The store's answer to a question."""
        with explained("look up", place):
            return question(place)

    def _listed(self, place: ObjectRef, begins: bool) -> Iterator[str]:
        """Paths of the objects below a place, or whose names begin with it."""
        with self._listing(place):
            for key in questions.keys(place, begins=begins):
                yield f"{place.bucket}/{key}"

    @contextmanager
    def _listing(self, place: ObjectRef) -> Iterator[None]:
        """Note where the store refuses to list: each object is asked for then, see `install`."""
        with explained("list", place):
            try:
                yield
            except BaseError as error:
                self.CAN_TRAVERSE &= not unlisted.is_refusal(error)
                raise

    def _is_there(self, place: ObjectRef) -> bool:
        return questions.exists(place, self._seen)

    def _existing(self, places: list[ObjectRef], threads: int) -> set[str]:
        """Keys of those that are there: by listing their folder where that is cheaper."""
        ordered = sorted(places, key=lambda place: place.key)
        folders = [
            list(group) for _, group in groupby(ordered, key=lambda place: parent(place.key))
        ]
        existing: set[str] = set()
        with ThreadPoolExecutor(threads) as pool, interruptible():
            lists = [place for place in places if place.key.endswith(questions.LIST)]
            if self.CAN_TRAVERSE and not all(map(self._seen.has_list, lists)):
                pool.submit(self._see_page, questions.root(lists[0]))
            for keys in pool.map(lambda folder: self._existing_in(folder), folders):
                existing.update(keys)
        return existing

    def _see_page(self, root: ObjectRef) -> None:
        """Ask early for what DVC asks next; a failure is found when it does."""
        with self._listing(root):
            self._seen.note_page(root, questions.all_of_one_page(root))

    def _existing_in(self, folder: list[ObjectRef]) -> Iterable[str]:
        """The same for places of one folder."""
        if len(folder) >= LISTED_FROM and self.CAN_TRAVERSE:
            root = replace(folder[0], key=parent(folder[0].key))
            # No more pages than objects: what is left of a large folder is asked for.
            listed = list(islice(self._listed(root, begins=False), PAGE * len(folder)))
            existing = {path.partition("/")[2] for path in listed}
            if len(listed) == PAGE * len(folder):
                rest = [place for place in folder if place.key not in existing]
                existing |= {place.key for place in rest if self._ask(self._is_there, place)}
            return existing
        return [place.key for place in folder if self._ask(self._is_there, place)]
