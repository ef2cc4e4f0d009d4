"""Checks out directories that the work tree does not have, file by file out of their lists.

For each file DVC makes entries of two indexes and a difference, 2 kB and 0.3 ms together, to find
that all of a directory is missing. `compare`, in the place of DVC's function, leaves such
directories out of the comparison; `apply` then brings them. Every other case is DVC's.
"""

from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import Any, NamedTuple

from dvc_bucket.dvc.patched import bringing, file_lists
from dvc_bucket.dvc.patched.touch_points import APPLY, COMPARE


class Folder(NamedTuple):
    """A directory that is to be checked out.

    Attributes:
        key: its path in the project, in parts.
        odb: the cache.
        text: the list of its files.
        number: how many they are.
    """

    key: tuple[str, ...]
    odb: Any
    text: str
    number: int


class _Changes(dict[Any, Any]):
    """DVC's dictionary of differences; it counts the files of the new directories one by one.

    Attributes:
        folders: the new directories.
        failed: absolute paths of files and directories that could not be brought.
    """

    def __init__(self, found: dict[Any, Any], folders: list[Folder]) -> None:
        super().__init__(found)
        self.folders = folders
        self.failed = set[str]()

    def items(self) -> Any:
        yield from super().items()
        for folder in self.folders:
            yield from self._of(folder)

    def _of(self, folder: Folder) -> Iterator[tuple[Any, Any]]:
        from dvc_data.hashfile.meta import Meta
        from dvc_data.index.diff import ADD, Change
        from dvc_data.index.index import DataIndexEntry

        whole = DataIndexEntry(key=folder.key, meta=Meta(isdir=True))
        yield folder.key, Change(ADD, None, whole)
        below = (*folder.key, "")
        file = Change(ADD, None, DataIndexEntry(key=below, meta=Meta()))
        yield from repeat((below, file), folder.number)


def compare(original: Any) -> Any:
    """DVC's `compare` of the work tree and what belongs there, without the new directories."""

    def ours(old: Any, new: Any, relink: bool = False, delete: bool = False, **named: Any) -> Any:
        from dvc_data.index.view import DataIndexView

        folders = list[Folder]()
        is_checkout = delete and named.keys() <= {"callback"} and isinstance(new, DataIndexView)
        if not is_checkout:
            return original(old, new, relink=relink, delete=delete, **named)
        if not relink:
            folders = list(_new(old, new))
        keys = {folder.key for folder in folders}
        lengths = sorted({len(key) for key in keys})

        def is_other(key: tuple[str, ...]) -> bool:
            return new.filter_fn(key) and not any(key[:length] in keys for length in lengths)

        rest = DataIndexView(new._index, is_other) if folders else new
        found = original(old, rest, relink=relink, delete=delete, **named)
        found.changes = _Changes(found.changes, folders)
        return found

    return ours


def apply(original: Any) -> Any:
    """DVC's `apply`, which brings the new directories, too, and notes what cannot be brought."""

    def ours(diff: Any, path: str, fs: Any, **named: Any) -> None:
        changes = diff.changes
        if not isinstance(changes, _Changes):
            original(diff, path, fs, **named)
            return
        tell = named["onerror"]

        def fail(source: Any, target: str, error: Any) -> None:
            changes.failed.add(target)
            tell(source, target, error)

        named["onerror"] = fail
        original(diff, path, fs, **named)
        hears = {name: named[name] for name in ("callback", "onerror", "state")}
        for folder in changes.folders:
            target = fs.join(path, *folder.key)
            bringing.bring(folder.odb, file_lists.files(folder.text), target, **hears)

    return ours


#: Our functions by the place of DVC's.
OURS = {COMPARE: compare, APPLY: apply}


def _new(old: Any, new: Any) -> Iterator[Folder]:
    """The directories of which nothing is in the work tree, and whose lists are in the cache."""
    storages: Mapping[tuple[str, ...], Any] = new.storage_map._map
    for key, storage in storages.items():
        if not key or old.has_node(key) or not new.has_node(key):
            continue
        if not new.filter_fn((*key, file_lists.ANY)):
            continue
        odb, content = getattr(storage.cache, "odb", None), new[key].hash_info
        if odb is None or not content or not content.isdir or content.name != odb.hash_name:
            continue
        try:
            text = file_lists.read([odb], content.value)
            number = file_lists.number(text)
        except (FileNotFoundError, file_lists.OtherFormError):
            continue
        if odb.hash_name == "md5" and number:
            yield Folder(key, odb, text, number)
