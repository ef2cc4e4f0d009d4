"""What a push or a pull is about, in the place of DVC's list of it: 100 bytes an object.

DVC's list has each file as a node with five objects, which take 2 kB. It is made of DVC's index,
into which every directory is read for it. Here an object is its hash, and a directory the text of
its list. What is not a whole directory or file in an S3 remote of ours is left to DVC's function.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from dvc_bucket.dvc.patched import file_lists
from dvc_bucket.dvc.patched.channel import say_once
from dvc_bucket.dvc.patched.remotes import is_ours
from dvc_bucket.dvc.patched.replacement import replacement
from dvc_bucket.dvc.patched.touch_points import COLLECT, FETCHED, PUSHED

#: The hash of a file or of a directory.
OID = re.compile(r"[0-9a-f]{32}(?:\.dir)?")


class Gathered:
    """Objects of a remote, instead of the index that DVC makes of them.

    DVC takes from it what its `iteritems` yields, and hands that on to `transfer`: this one itself.

    Attributes:
        storage_map: the remote and the cache, as DVC's index has them.
        lists: the text of each directory's list, by the directory's hash.
        objects: hashes of all of them.
    """

    def __init__(self, storage: Any) -> None:
        self.storage_map = {(): storage}
        self.lists: dict[str, str] = {}
        self.objects: set[str] = set()
        self.hash_info = self

    def add(self, oid: str, odbs: list[Any]) -> None:
        """Add a file, or a directory and its files.

        Raises:
            FileNotFoundError: the list of the directory is nowhere.
            file_lists.OtherFormError: it is not as DVC 3 writes it.
        """
        if oid.endswith(".dir") and oid not in self.lists:
            text = file_lists.read(odbs, oid)
            self.objects.update(md5 for _, md5 in file_lists.files(text))
            self.lists[oid] = text
        self.objects.add(oid)

    def files_of(self, oid: str) -> Iterator[str]:
        """Hashes of the files of a directory."""
        return file_lists.hashes(self.lists[oid])

    def iteritems(self) -> Iterator[tuple[tuple[str, ...], "Gathered"]]:
        """One item that stands for all."""
        yield (), self

    def __len__(self) -> int:
        return len(self.objects)

    def close(self) -> None:
        """Nothing is open."""


@replacement
def _collect(
    original: Any, idxs: Any, storage: str, callback: Any, *, push: bool = False, **_: Any
) -> Any:
    """In the place of DVC's `collect`: a list of ours, or DVC's own, which is not kept on disk."""
    gathered = _gathered(idxs, push=push) if storage == "remote" else None
    return original(idxs, storage, callback, push=push) if gathered is None else gathered


def _move(word: str, original: Any, src: Any, dest: Any, obj_ids: Any, **named: Any) -> Any:
    """In the place of DVC's `transfer`, where its `fetch` or `push` calls it."""
    wanted = obj_ids[0] if len(obj_ids) == 1 else None
    if not isinstance(wanted, Gathered):
        moved = _without_parts(src, dest, obj_ids) if word == "push" else obj_ids
        return original(src, dest, moved, **named)
    from dvc_bucket.dvc.patched import moving

    index = named["src_index" if word == "fetch" else "dest_index"]
    move: Any = getattr(moving, word)
    return move(wanted, index, named["jobs"], named["callback"], named["validate_status"])


#: Our functions by the place of DVC's.
OURS: dict[str, Callable[[Any], Any]] = {
    COLLECT: _collect,
    FETCHED: replacement(partial(_move, "fetch")),
    PUSHED: replacement(partial(_move, "push")),
}


def _without_parts(cache: Any, remote: Any, oids: list[Any]) -> list[Any]:
    """What is pushed, without the list of a directory of which only a part is pushed.

    Where a remote has a list, no later push looks whether it has the files.
    """
    pushed = {oid.value for oid in oids}

    def is_part(oid: str) -> bool:
        try:
            has_all = pushed.issuperset(file_lists.hashes(file_lists.read([cache], oid)))
        except (FileNotFoundError, file_lists.OtherFormError):
            return False
        return not has_all and not remote.fs.exists(remote.oid_to_path(oid))

    parts = {oid.value for oid in oids if oid.isdir and is_part(oid.value)}
    if parts:
        say_once(
            "Only a part of a directory is pushed. Before others can pull it, run `bucket push`."
        )
    return [oid for oid in oids if oid.value not in parts]


class _Out(NamedTuple):
    """An output: its hash, and where it is kept."""

    oid: str
    remote: Any
    cache: Any


def _gathered(idxs: Iterable[Any], *, push: bool) -> list[Gathered] | None:
    """What DVC's `collect` of the same arguments lists; None where that is left to DVC."""
    from dvc_data.index.index import StorageInfo

    by_remote: dict[Any, Gathered] = {}
    try:
        for out in _outs(idxs, push=push):
            odb = out.remote.odb
            if odb not in by_remote:
                by_remote[odb] = Gathered(StorageInfo(data=out.remote, cache=out.cache))
            by_remote[odb].add(out.oid, [out.cache.odb, odb])
    except (_OthersError, FileNotFoundError, file_lists.OtherFormError):
        return None
    return [*by_remote.values()]


class _OthersError(Exception):
    """There is something that only DVC's function can list."""


def _outs(idxs: Iterable[Any], *, push: bool) -> Iterator[_Out]:
    """The outputs that are to be moved.

    Raises:
        _OthersError: one of them is not a whole directory or file of a remote of ours.
    """
    from dvc_data.index.index import ObjectStorage

    for index in idxs:
        is_wanted = getattr(index, "filter_fn", lambda _: True)
        for prefix, info in index.storage_map.items():
            remote, cache = info.remote, info.cache
            if not remote or (push and remote.read_only) or not index.has_node(prefix):
                continue
            if not isinstance(remote, ObjectStorage) or not isinstance(cache, ObjectStorage):
                raise _OthersError
            try:
                content = index[prefix].hash_info
            except KeyError:  # only some files of a directory are imported
                raise _OthersError from None
            if not content:
                continue
            has_all = not content.isdir or is_wanted((*prefix, file_lists.ANY))
            if not has_all or not _is_plain(content, remote.odb, cache.odb):
                raise _OthersError
            yield _Out(content.value, remote, cache)


def _is_plain(content: Any, remote: Any, cache: Any) -> bool:
    """Whether an object is named by its MD5, in a remote of ours that is not read twice."""
    return (
        is_ours(remote.fs)
        and not remote.verify
        and {content.name, remote.hash_name, cache.hash_name} == {"md5"}
        and OID.fullmatch(content.value) is not None
        and remote.fs.place(remote.oid_to_path(content.value)) is not None
    )
