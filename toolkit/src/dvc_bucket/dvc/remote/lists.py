"""The files of a directory: its list, from the local cache or else from the remote."""

import hashlib
import json
from collections.abc import Callable, Container
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import MissingObjectError
from dvc_bucket.connection.weather import WrongBytesError
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.connection import Remote
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from dvc_bucket.dvc.remote.arrays import Ids

#: Names of objects that are kept in memory at most; of more, lists are read each time.
MAX_KEPT_NAMES = 2_000_000


class Lists:
    """Reads lists of files, each proven to be the one that its name promises.

    Args:
        cache: DVC's local cache folder.
        remote: where a list is taken from that the cache does not have; None for nowhere.
        spool: an empty folder for those that were fetched.
    """

    def __init__(self, cache: Path, remote: Remote | None, spool: Path) -> None:
        self._folders, self._remote, self._spool = (cache, spool), remote, spool
        self._absent: set[bytes] = set()
        self._kept: dict[bytes, Ids] = {}
        self._room = MAX_KEPT_NAMES

    def objects(self, name: bytes) -> "Ids | None":
        """An object and, if it is a list, the objects in it; None if there is no good copy of it.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        from dvc_bucket.dvc.remote.arrays import array_of

        if not ids.is_list(name):
            return array_of([name])
        if name in self._kept:
            return self._kept[name]
        members, legacy = [name], ids.is_legacy(name)

        def add(entry: dict[str, Any]) -> None:
            members.append(ids.encode(entry["md5"], legacy=legacy))

        if not self._read(name, add):
            return None
        names = array_of(members)
        if len(names) <= self._room:
            self._kept[name] = names
            self._room -= len(names)
        return names

    def members(
        self, name: bytes, wanted: Container[bytes] | None = None
    ) -> list[tuple[str, bytes]] | None:
        """Path in the directory, and name, of its objects; None as with `objects`.

        Args:
            name: of the list.
            wanted: the objects to return; None for all.

        Raises:
            TransferError: the store refused or could not be reached.
        """
        members: list[tuple[str, bytes]] = []
        legacy = ids.is_legacy(name)

        def add(entry: dict[str, Any]) -> None:
            member = ids.encode(entry["md5"], legacy=legacy)
            if wanted is None or member in wanted:
                members.append((entry["relpath"], member))

        return members if self._read(name, add) else None

    def _read(self, name: bytes, add: Callable[[dict[str, Any]], None]) -> bool:
        """Have every entry of a list added; entries are dropped as they are read.

        A list that DVC did not write is none, though its bytes are those that its name promises.
        """
        copies = (_good(folder / ids.path(name), name) for folder in self._folders)
        text = next((copy for copy in copies if copy is not None), None)
        if text is None and (text := self._fetch(name)) is None:
            return False

        def added(entry: dict[str, Any]) -> None:
            if not isinstance(entry["relpath"], str) or not isinstance(entry["md5"], str):
                raise TypeError
            add(entry)

        try:
            decoded = text.decode()
            del text  # of a million files, 70 MB
            listed = json.loads(decoded, object_hook=added)
        except (ValueError, TypeError, KeyError, RecursionError):
            return False
        return isinstance(listed, list) and not any(entry is not None for entry in listed)

    def _fetch(self, name: bytes) -> bytes | None:
        """The list from the remote, kept for the next time; None if it has no good one."""
        if self._remote is None or name in self._absent:
            return None
        key, path = self._remote.key(name), self._spool / ids.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        store = self._remote.store

        def read() -> bytes:
            text = bytes(store.once.get(key).bytes())
            if not _is_good(text, name):
                raise WrongBytesError
            return text

        try:
            with naming_failures(f"download {key}", self._remote.settings):
                text = store.retries.call(read)
        except (MissingObjectError, WrongBytesError):
            self._absent.add(name)
            return None
        path.write_bytes(text)
        return text


def _good(path: Path, name: bytes) -> bytes | None:
    """Content of a file, if it is there and what the name promises."""
    try:
        text = path.read_bytes()
    except OSError:
        return None
    return text if _is_good(text, name) else None


def _is_good(text: bytes, name: bytes) -> bool:
    return hashlib.md5(text, usedforsecurity=False).hexdigest() == ids.md5(name)
