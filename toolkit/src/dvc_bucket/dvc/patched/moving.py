"""Moves what `gathered` has found, in the place of DVC's `transfer`: by hashes alone.

The steps are those of DVC: what the remote lacks is sent, what the cache lacks is fetched; a
directory's list goes last, and only if all its files are there. Where a remote has the list of a
directory, it counts as having the files; DVC's index of the remote notes them.
"""

from collections.abc import Callable
from typing import Any

from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.dvc.patched import remote_index
from dvc_bucket.dvc.patched.copy import threads_of
from dvc_bucket.dvc.patched.errors import for_dvc, shown_by_dvc
from dvc_bucket.dvc.patched.gathered import Gathered
from dvc_bucket.dvc.patched.in_cache import not_in_cache
from dvc_bucket.transfer.files import Unfinished
from dvc_bucket.transfer.pool import Pool

#: Moves one object.
Work = Callable[[str], None]


def push(wanted: Gathered, index: Any, jobs: int | None, callback: Any, warn: Any) -> Any:
    """Send what the remote lacks. Arguments and result are in `_result`."""
    from dvc_bucket.transfer.upload import Upload

    cache, remote = _odbs(wanted)
    lacking = not_in_remote(wanted, wanted.objects, remote, index)
    absent = set(not_in_cache(cache, lacking))
    _warn(absent, warn)
    lacking -= absent
    upload, place = Upload(), _places(remote)

    def send(oid: str) -> None:
        upload(place(oid), cache.oid_to_path(oid))

    moving = _Moving(wanted, remote, jobs, callback, lambda: upload.answer_seconds)
    failed = moving.run(lacking, absent, send)
    remote.fs.forget_listings()
    if not failed:
        for oid in wanted.lists.keys() & lacking:
            if absent.isdisjoint(wanted.files_of(oid)):  # a part of it is not all of it
                remote_index.note(index, oid, wanted.files_of(oid))
    return _result(lacking, failed)


def fetch(wanted: Gathered, index: Any, jobs: int | None, callback: Any, warn: Any) -> Any:
    """Fetch what the cache lacks. Arguments and result are in `_result`."""
    from dvc_bucket.transfer.download import Download

    cache, remote = _odbs(wanted)
    lacking = set(not_in_cache(cache, wanted.objects))
    if not lacking:
        return _result(lacking, lacking)
    absent = not_in_remote(wanted, lacking, remote, index)
    _warn(absent, warn)
    lacking -= absent
    for folder in sorted({oid[:2] for oid in lacking}):
        cache._init(folder)
    with Unfinished() as unfinished:
        unfinished.prepare([cache.oid_to_path(oid) for oid in [*lacking][:1]])
        download, place = Download(unfinished), _places(remote)

        def get(oid: str) -> None:
            body = remote.fs.list_at_hand(place(oid)) if oid in wanted.lists else None
            download(place(oid), cache.oid_to_path(oid), body=body)

        moving = _Moving(wanted, remote, jobs, callback, lambda: download.answer_seconds)
        failed = moving.run(lacking, absent, get)
    if failed:
        index.clear()
    return _result(lacking, failed)


class _Moving:
    """The objects of one push or pull on their way.

    Args:
        wanted: what it is about.
        remote: DVC's object store there.
        jobs: how many at a time, as DVC was told.
        callback: hears of progress.
        answer_seconds: the shortest time in which the store answered.
    """

    def __init__(
        self,
        wanted: Gathered,
        remote: Any,
        jobs: int | None,
        callback: Any,
        answer_seconds: Callable[[], float],
    ) -> None:
        self._wanted, self._remote, self._callback = wanted, remote, callback
        self._threads = threads_of(remote.fs, jobs)
        self._answer_seconds = answer_seconds

    def run(self, oids: set[str], absent: set[str], work: Work) -> set[str]:
        """Move objects, lists last; returns those that failed.

        Args:
            oids: what to move.
            absent: objects that are nowhere.
            work: moves one.
        """
        if not oids:
            return set()
        self._callback.set_size(len(oids))
        lists = {oid for oid in oids if oid in self._wanted.lists}
        failed = self._move(sorted(oids - lists), work)
        broken = failed | absent
        whole = [
            oid for oid in lists if not broken or broken.isdisjoint(self._wanted.files_of(oid))
        ]
        without = lists.difference(whole) if failed else set()
        return failed | without | self._move(whole, work)

    def _move(self, oids: list[str], work: Work) -> set[str]:
        from dvc_data.hashfile.transfer import _log_exception

        failed: set[str] = set()

        def fail(oid: str, error: BaseException) -> None:
            _log_exception(oid, for_dvc(error))
            failed.add(oid)

        if oids:
            before = _places(self._remote)(oids[0]).store.retries.answer_seconds
            with shown_by_dvc():
                pool = Pool[str](work, self._threads, self._answer_seconds, before)
                pool.run(oids, self._callback.relative_update, fail)
        return failed


def _odbs(wanted: Gathered) -> tuple[Any, Any]:
    storage = wanted.storage_map[()]
    return storage.cache.odb, storage.data.odb


def _places(remote: Any) -> Callable[[str], ObjectRef]:
    """From a hash to where the object is."""
    root: ObjectRef = remote.fs.place(remote.path)

    def place(oid: str) -> ObjectRef:
        return ObjectRef(root.store, f"{root.key}/{oid[:2]}/{oid[2:]}", root.settings)

    return place


def not_in_remote(wanted: Gathered, oids: set[str], remote: Any, index: Any) -> set[str]:
    """Those that the remote lacks."""
    noted = remote_index.lists(index)
    lists = noted.union(wanted.lists)
    existing = set(remote.list_oids_exists([*lists])) if lists else set()
    if noted - existing:
        index.clear()  # the remote was changed by others
    unknown = set(oids)
    for oid in existing & wanted.lists.keys():
        if oid not in index:
            remote_index.note(index, oid, wanted.files_of(oid))
        unknown.discard(oid)
        unknown.difference_update(wanted.files_of(oid))
    lost = unknown & wanted.lists.keys()
    unknown -= lost
    unknown.difference_update(remote_index.known(index, sorted(unknown)))
    if unknown:
        unknown.difference_update(remote.oids_exist(unknown))
    unknown |= lost
    return unknown


def _warn(absent: set[str], warn: Any) -> None:
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.status import CompareStatusResult

    missing = {HashInfo("md5", oid) for oid in absent}
    warn(CompareStatusResult(set(), missing, set(), set()))


def _result(moved: set[str], failed: set[str]) -> Any:
    """DVC's result, of which it takes the lengths.

    The arguments of `push` and `fetch` are DVC's: what `collect` returned, its index of the remote,
    the number of jobs, what hears of progress, and what warns of objects that are nowhere.
    """
    from dvc_data.hashfile.transfer import TransferResult

    return TransferResult(moved - failed if failed else moved, failed)  # type: ignore[arg-type]
