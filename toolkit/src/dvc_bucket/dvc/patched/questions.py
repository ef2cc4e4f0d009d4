"""What DVC asks of an S3 remote, answered with as few round trips as the store's word needs.

In one push or pull DVC asks for the list of a directory up to four times, and for the list that it
has just been told is missing. It finds out how large a remote is before it lists it. Nothing else
happens meanwhile, so `Seen` keeps the last answers.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from obstore.exceptions import BaseError, PermissionDeniedError

from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.connection.weather import WrongBytesError
from dvc_bucket.dvc.patched.channel import say_once
from dvc_bucket.dvc.patched.errors import shown_by_dvc
from dvc_bucket.transfer import unlisted
from dvc_bucket.transfer.files import MD5
from dvc_bucket.transfer.keys import PAGE, objects

#: The part of a path that marks DVC's layout, and what stands behind it in the path of an object,
#: below which nothing is.
LAYOUT = "/files/md5"
OBJECT = re.compile(rf"{LAYOUT}/[0-9a-f]{{2}}/[^/]+$")

#: The end of the name of a directory's list.
LIST = ".dir"

#: For so many seconds the store's last word counts; so many bytes of lists are kept.
SEEN_SECONDS = 30.0
SEEN_BYTES = 16 * 1024 * 1024


class Seen:
    """What a remote has answered: lists of directories, and all that it has if that is little."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[float, Any]] = {}
        self._size = 0

    def note_list(self, place: ObjectRef, body: bytes | None) -> None:
        """Keep a list, if there is room; None where it is missing."""
        size = len(body or b"")
        if place.key.endswith(LIST) and self._size + size <= SEEN_BYTES:
            self._answers[place.url] = (time.monotonic(), body)
            self._size += size

    def list_at(self, place: ObjectRef) -> bytes | None:
        """The list that is at a place; None where it is missing.

        Raises:
            KeyError: the remote was not asked, or too long ago.
        """
        body: bytes | None = self._answer(place.url)
        return body

    def has_list(self, place: ObjectRef) -> bool:
        """Whether it is known what is at a place."""
        with suppress(KeyError):
            self.list_at(place)
            return True
        return False

    def is_below(self, place: ObjectRef) -> bool:
        """Whether there is a list below a place, as far as the remote was asked."""
        folder = f"{place.url}/"
        lists = [url for url in self._answers if url.startswith(folder) and url.endswith(LIST)]
        return any(self._answers[url][1] is not None for url in lists)

    def note_page(self, place: ObjectRef, paths: set[str] | None) -> None:
        """Keep the answer of `all_of_one_page`."""
        self._answers[f"{place.url}/"] = (time.monotonic(), paths)

    def take_page(self, place: ObjectRef) -> set[str] | None:
        """The last answer of `all_of_one_page`, once.

        Raises:
            KeyError: the remote was not asked, or too long ago.
        """
        paths: set[str] | None = self._answer(f"{place.url}/")
        del self._answers[f"{place.url}/"]
        return paths

    def forget(self) -> None:
        """Objects were added or deleted."""
        self._answers, self._size = {}, 0

    def _answer(self, url: str) -> Any:
        at, answer = self._answers[url]
        if time.monotonic() - at > SEEN_SECONDS:
            raise KeyError(url)
        return answer


def root(place: ObjectRef) -> ObjectRef:
    """The folder of DVC's layout that an object is in."""
    end = f"/{place.key}".rindex(f"{LAYOUT}/") + len(LAYOUT) - 1
    return replace(place, key=place.key[:end])


def parent(key: str) -> str:
    """The folder of a key."""
    return key.rpartition("/")[0]


def is_object(place: ObjectRef) -> bool:
    """Whether there is such an object; one that may be missing is not."""
    try:
        place.store.head(place.key)
    except FileNotFoundError:
        return False
    except PermissionDeniedError as error:
        if not unlisted.may_be_missing(place.store, place.key, error):
            raise
        say_once(unlisted.SAID)
        return False
    return True


def exists(place: ObjectRef, seen: Seen) -> bool:
    """Whether there is an object, or something below a folder."""
    with suppress(KeyError):
        return seen.list_at(place) is not None
    if OBJECT.search(f"/{place.key}"):
        if not (is_there := is_object(place)):
            seen.note_list(place, None)
        return is_there
    is_root = f"/{place.key}".endswith(LAYOUT)
    if seen.is_below(place) or (not is_root and is_object(place)):
        return True
    try:
        return next(keys(place, page=1), None) is not None
    except BaseError as error:
        if not unlisted.is_refusal(error):
            raise
        return is_root  # there may be objects, and an object is no folder


def keys(place: ObjectRef, *, begins: bool = False, page: int = PAGE) -> Iterator[str]:
    """Keys below a place, or that begin with it."""
    folder, offset = (parent(place.key), place.key) if begins else (place.key, None)
    for batch in objects(place.settings, place.store, folder, offset=offset, page=page):
        for item in batch:
            key = item["path"]
            if not begins or key.startswith(place.key):
                yield key
            elif key > place.key:  # not so at a store that begins every listing at the top
                return


def names(place: ObjectRef) -> list[str]:
    """Paths right below a folder; none where they may not be listed."""
    try:
        listing = place.store.list_with_delimiter(place.key)
    except BaseError as error:
        if not unlisted.is_refusal(error):
            raise
        return []
    keys = [*listing["common_prefixes"], *(item["path"] for item in listing["objects"])]
    return [f"{place.bucket}/{key}" for key in keys]


def all_of_one_page(place: ObjectRef) -> set[str] | None:
    """Paths of all objects below a folder; None where they are more than one page of a listing."""
    page = next(objects(place.settings, place.store, place.key, page=PAGE), ())
    return None if len(page) >= PAGE else {f"{place.bucket}/{item['path']}" for item in page}


def list_of(place: ObjectRef, seen: Seen) -> bytes:
    """The list of a directory, compared with the hash that its name promises.

    Raises:
        FileNotFoundError: there is none, or none that a key may read that may not list.
        WrongContentError: it is damaged.
    """
    with suppress(KeyError):
        if (body := seen.list_at(place)) is None:
            raise FileNotFoundError(place.key)
        return body
    body = _read(place)
    seen.note_list(place, body)
    return body


def _read(place: ObjectRef) -> bytes:
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
        raise FileNotFoundError(place.key) from None
    except WrongBytesError:
        raise WrongContentError(
            f"{place.url} is damaged: its content does not match its name."
        ) from None


@contextmanager
def explained(what: str, place: ObjectRef) -> Iterator[None]:
    """Turn the client's exceptions into those that DVC shows as a sentence."""
    from dvc_bucket.transfer.errors import naming_failures

    with shown_by_dvc(), naming_failures(f"{what} {place.url}", place.settings):
        yield
