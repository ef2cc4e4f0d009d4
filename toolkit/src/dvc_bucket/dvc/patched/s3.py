"""DVC's S3 file system, with what its everyday commands ask of a remote answered by obstore.

Everything that is not overridden here is dvc-s3's own; its client is made when that first needs it.
The overrides answer for objects of a remote in DVC's layout; other paths, such as those that
`dvc import-url` names, have oddities of S3 that are left to dvc-s3, but for the bytes themselves.
"""

import io
import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, TypeVar

from fsspec.callbacks import DEFAULT_CALLBACK
from obstore.exceptions import BaseError, PermissionDeniedError

from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.connection.weather import WrongBytesError
from dvc_bucket.dvc.patched.errors import shown_by_dvc
from dvc_bucket.dvc.patched.staying import StayingS3FileSystem
from dvc_bucket.transfer import unlisted
from dvc_bucket.transfer.delete import delete
from dvc_bucket.transfer.files import MD5
from dvc_bucket.transfer.keys import PAGE, is_plain, objects
from dvc_bucket.transfer.options import NotHonouredError, connection

if TYPE_CHECKING:
    from dvc_bucket.connection.clients.patient import PatientStore
    from dvc_bucket.connection.settings import Settings

Answer = TypeVar("Answer")

#: DVC's own channel, so that `-q` silences this, too.
logger = logging.getLogger("dvc").getChild("bucket")

#: The part of a path that marks DVC's layout.
LAYOUT = "/files/md5"

#: Objects of one folder from which on its listing is cheaper than a request for each.
LISTED_FROM = 4

#: Reasons that were said already.
_said: set[str] = set()


class FastS3FileSystem(StayingS3FileSystem):
    """An S3 remote; paths are `bucket/key`, as everywhere in DVC."""

    def __init__(self, fs: Any = None, **config: Any) -> None:
        super().__init__(fs=fs, **config)
        self._given = fs is not None
        self._stores: dict[str, tuple[PatientStore, Settings] | None] = {}

    def place(self, path: str) -> ObjectRef | None:
        """Where an object is; None where only DVC's own client can reach it."""
        bucket, _, key = path.partition("/")
        if bucket not in self._stores:
            self._stores[bucket] = self._store(bucket)
        client = self._stores[bucket]
        if client is None or not is_plain(key):
            return None
        return ObjectRef(client[0], key, client[1])

    def forget_listings(self) -> None:
        """Objects were added without dvc-s3's client, which remembers what it has listed."""
        if "fs" in self.__dict__:
            self.fs.invalidate_cache()

    def exists(
        self, path: Any, callback: Any = DEFAULT_CALLBACK, batch_size: int | None = None
    ) -> Any:
        """Whether there is such an object or folder; for a list of paths a list of answers."""
        paths = [path] if isinstance(path, str) else path
        places = [self._place_of_ours(each) for each in paths]
        if not all(places):
            return super().exists(path, callback=callback, batch_size=batch_size)
        if isinstance(path, str):
            return self._ask(_exists, places[0])
        callback.set_size(len(paths))
        keys = self._existing([place for place in places if place], batch_size or self.jobs)
        callback.relative_update(len(paths))
        return [place.key in keys for place in places if place]

    def isfile(self, path: str) -> bool:
        """Whether there is such an object."""
        if not (place := self._place_of_ours(path)):
            return bool(super().isfile(path))
        return self._ask(_is_object, place)

    def find(
        self, path: Any, prefix: bool = False, batch_size: int | None = None, **named: Any
    ) -> Iterator[str]:
        """Every object below a path, or, with `prefix`, whose name begins with it; or several."""
        paths = [path] if isinstance(path, str) else list(path)
        # Folders whose names begin so: SeaweedFS leaves one out that a listing starts after.
        folders = prefix and any(_parent(each).endswith(LAYOUT) for each in paths)
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
        names = self._ask(_names, place)
        if not names and not self.isfile(path):
            raise FileNotFoundError(path)
        return names

    def open(self, path: str, mode: str = "r", **named: Any) -> Any:
        """A file to read: the list of a directory at once, anything else as dvc-s3 does."""
        place = self._place_of_ours(path)
        if not place or mode not in {"r", "rt", "rb"} or not path.endswith(".dir"):
            return super().open(path, mode=mode, **named)
        body = self._ask(_checked, place)
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
            _say(f"{reason} is for DVC's own S3 client, which moves the data: slower.")
            return None
        return store, described.settings

    def _ask(self, question: "Callable[[ObjectRef], Answer]", place: Any) -> "Answer":
        """The store's answer to a question."""
        with _explained("look up", place):
            return question(place)

    def _listed(self, place: ObjectRef, begins: bool) -> Iterator[str]:
        """Paths of the objects below a place, or whose names begin with it."""
        with _explained("list", place):
            try:
                for key in _keys(place, begins=begins):
                    yield f"{place.bucket}/{key}"
            except BaseError as error:
                if unlisted.is_refusal(error):
                    self.CAN_TRAVERSE = False  # each object is asked for: see `install`
                raise

    def _existing(self, places: list[ObjectRef], threads: int) -> set[str]:
        """Keys of those that are there: by listing their folder where that is cheaper."""
        ordered = sorted(places, key=lambda place: place.key)
        folders = [
            list(group) for _, group in groupby(ordered, key=lambda place: _parent(place.key))
        ]
        existing: set[str] = set()
        with ThreadPoolExecutor(threads) as pool, interruptible():
            for keys in pool.map(lambda folder: self._existing_in(folder), folders):
                existing.update(keys)
        return existing

    def _existing_in(self, folder: list[ObjectRef]) -> Iterable[str]:
        """The same for places of one folder."""
        if len(folder) >= LISTED_FROM and self.CAN_TRAVERSE:
            parent = replace(folder[0], key=_parent(folder[0].key))
            # No more pages than objects: what is left of a large folder is asked for.
            listed = list(islice(self._listed(parent, begins=False), PAGE * len(folder)))
            existing = {path.partition("/")[2] for path in listed}
            if len(listed) == PAGE * len(folder):
                rest = [place for place in folder if place.key not in existing]
                existing |= {place.key for place in rest if self._ask(_exists, place)}
            return existing
        return [place.key for place in folder if self._ask(_exists, place)]


def _say(text: str) -> None:
    """One line on standard error, once in a process."""
    if text not in _said:
        _said.add(text)
        logger.warning("bucket: %s", text)


def _parent(key: str) -> str:
    return key.rpartition("/")[0]


def _is_object(place: ObjectRef) -> bool:
    try:
        place.store.head(place.key)
    except FileNotFoundError:
        return False
    except PermissionDeniedError as error:
        if not unlisted.may_be_missing(place.store, place.key, error):
            raise
        _say(unlisted.SAID)
        return False
    return True


def _exists(place: ObjectRef) -> bool:
    """An object, or something below."""
    if _is_object(place):
        return True
    try:
        return next(_keys(place, page=1), None) is not None
    except BaseError as error:
        if not unlisted.is_refusal(error):
            raise
        return f"/{place.key}".endswith(LAYOUT)  # there may be objects, and an object is no folder


def _keys(place: ObjectRef, *, begins: bool = False, page: int = PAGE) -> Iterator[str]:
    """Keys below a place, or that begin with it."""
    folder, offset = (_parent(place.key), place.key) if begins else (place.key, None)
    for batch in objects(place.settings, place.store, folder, offset=offset, page=page):
        for item in batch:
            key = item["path"]
            if not begins or key.startswith(place.key):
                yield key
            elif key > place.key:  # not so at a store that begins every listing at the top
                return


def _names(place: ObjectRef) -> list[str]:
    try:
        listing = place.store.list_with_delimiter(place.key)
    except BaseError as error:
        if not unlisted.is_refusal(error):
            raise
        return []
    keys = [*listing["common_prefixes"], *(item["path"] for item in listing["objects"])]
    return [f"{place.bucket}/{key}" for key in keys]


def _checked(place: ObjectRef) -> bytes:
    """The body of a small object, compared with the hash that its name promises."""
    from dvc_bucket.transfer.errors import WrongContentError

    def read() -> bytes:
        body = bytes(place.store.once.get(place.key).bytes())
        if MD5.promised(place.key) not in {None, MD5.of(body)}:
            raise WrongBytesError
        return body

    try:
        return place.store.retries.call(read)
    except PermissionDeniedError as error:
        if not unlisted.is_refusal(error):
            raise
        raise FileNotFoundError(place.key) from None  # it may be, for a key that may not list
    except WrongBytesError:
        raise WrongContentError(
            f"{place.url} is damaged: its bytes are not what its name promises."
        ) from None


@contextmanager
def _explained(what: str, place: ObjectRef) -> Iterator[None]:
    """Turn the client's exceptions into those that DVC shows as a sentence."""
    from dvc_bucket.transfer.errors import naming_failures

    with shown_by_dvc(), naming_failures(f"{what} {place.url}", place.settings):
        yield
