"""Adds a directory of which most files are in the cache, without objects for each of these files.

To add one more file, DVC makes five objects of each file, reads the list of all files twice from
memory, and looks at each object in the cache twice, to find that all but one are there and linked.

- `build`, in the place of DVC's function as outputs call it, finds the hash of a directory; `add`,
  `status`, `commit` and `repro` begin with it.
- `transfer`, in the place of DVC's function for `add` and `commit`, has DVC transfer what the cache
  lacks, and fails where DVC cannot: DVC itself goes on and records data that is not in the cache.
- `difference`, in the place of DVC's `_diff`, finds which files have another kind of link than the
  cache asks for. DVC links these.
- `times`, in the place of DVC's `_get_mtime_from_changes`, makes DVC's note of the directory.

An object counts as there if it is protected, as for DVC. Of all others, DVC looks at the content.
"""

import functools
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.words import counted
from dvc_bucket.dvc.patched import lookups
from dvc_bucket.dvc.patched.in_cache import protected
from dvc_bucket.dvc.patched.stage_touch_points import ADDED, ADDED_TIMES, BUILD, DIFFERENCE

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.hashed_folder import Folder


class _Unchanged(list[Any]):
    """In the place of DVC's list of unchanged files: the directory."""

    folder: "Folder"


def build(original: Callable[..., Any]) -> Callable[..., Any]:
    """DVC's `build`, which finds the hash of a file or directory."""

    @functools.wraps(original)
    def ours(odb: Any, path: str, fs: Any, name: str, **named: Any) -> Any:
        from dvc_bucket.dvc.patched import hashed_folder

        ignore, callback = named.get("ignore"), named.get("callback")
        jobs, is_upload = named.get("checksum_jobs"), named.get("upload")
        if callback and not is_upload and hashed_folder.is_plain(odb, path, fs, name):
            try:
                return hashed_folder.build(odb, path, fs, ignore, callback, jobs)
            except (hashed_folder.OtherFolderError, OSError):  # DVC has its words
                pass
        return original(odb, path, fs, name, **named)

    return ours


def transfer(original: Any) -> Any:
    """DVC's `transfer` of files or a directory from the work tree to the cache, or to a remote."""

    def ours(src: Any, dest: Any, obj_ids: Any, **named: Any) -> Any:
        done = _in_steps(original, src, dest, obj_ids, **named)
        if done.failed:
            from dvc_bucket.dvc.patched.errors import DvcException

            raise DvcException(
                f"{counted(len(done.failed), 'object')} could not be stored in {dest.path}, for "
                "the reasons above. Nothing was recorded. Remove the cause and run it again."
            )
        return done

    return ours


def difference(original: Any) -> Any:
    """DVC's `_diff` of a directory and what was added of it a moment ago."""

    def ours(path: str, fs: Any, obj: Any, cache: Any, **named: Any) -> Any:
        from dvc_data.hashfile.diff import DiffResult
        from dvc_objects.fs.local import LocalFileSystem

        from dvc_bucket.dvc.patched.hashed_folder import Folder

        is_added = (
            named.get("relink")
            and named.get("old") is obj
            and isinstance(obj, Folder)
            and isinstance(cache.fs, LocalFileSystem)
        )
        if not is_added:
            return original(path, fs, obj, cache, **named)
        unchanged = _Unchanged()
        unchanged.folder = obj
        return DiffResult(modified=list(_other_links(obj, cache)), unchanged=unchanged)

    return ours


def times(original: Any) -> Any:
    """DVC's hash of the times of a directory's files, after `difference`."""

    def ours(path: str, fs: Any, diff: Any, updated_mtimes: Any) -> Any:
        if not isinstance(diff.unchanged, _Unchanged):
            return original(path, fs, diff, updated_mtimes)
        paths = ((f"{path}/{file.path}", file.mtime) for file in diff.unchanged.folder.files)
        return lookups.hash_of_times((file, updated_mtimes.get(file, time)) for file, time in paths)

    return ours


#: Our functions by the place of DVC's.
OURS: dict[str, Callable[[Any], Any]] = {
    BUILD: build,
    ADDED: transfer,
    DIFFERENCE: difference,
    ADDED_TIMES: times,
}


def _in_steps(original: Any, src: Any, dest: Any, obj_ids: Any, **named: Any) -> Any:
    """DVC's `transfer`: of a directory the files first that the cache lacks, then the list."""
    lacking = None
    if named.keys() <= {"hardlink", "shallow", "callback"} and not named.get("shallow", True):
        lacking = _lacking(src, dest, obj_ids)
    if lacking is None:
        return original(src, dest, obj_ids, **named)
    named["shallow"] = True
    files = original(src, dest, lacking, **named)
    if files.failed:  # a list is in the cache if all of its files are
        return files._replace(failed=files.failed | obj_ids)
    lists = original(src, dest, obj_ids, **named)
    return files._replace(transferred=files.transferred | lists.transferred, failed=lists.failed)


def _lacking(src: Any, dest: Any, obj_ids: set[Any]) -> set[Any] | None:
    """The files of a directory that the cache has not, or not protected; None if DVC finds out."""
    from dvc_data.hashfile.db.local import LocalHashFileDB
    from dvc_data.hashfile.hash_info import HashInfo

    from dvc_bucket.dvc.patched.hashed_folder import Staging

    if not isinstance(src, Staging) or type(dest) is not LocalHashFileDB:
        return None
    if obj_ids != {src.folder.hash_info}:
        return None
    oids = {*src.folder.hashes}
    src.folder.inodes.update(protected(dest, oids))
    return {HashInfo("md5", md5) for md5 in oids.difference(src.folder.inodes)}


def _other_links(folder: "Folder", cache: Any) -> Iterator[Any]:
    """DVC's changes of the files that it links in another way."""
    from dvc_data.hashfile.checkout import _needs_relink
    from dvc_data.hashfile.diff import Change, TreeEntry
    from dvc_objects.errors import ObjectFormatError

    wanted, inodes = next(iter(cache.cache_types), None), folder.inodes
    are_copies, are_hard = wanted in {"copy", "reflink"}, wanted == "hardlink"
    for file, md5 in zip(folder.files, folder.hashes, strict=True):
        if are_copies and file.links <= 1 and file.destination is None:
            continue
        if are_hard and file.links > 1 and inodes.get(md5) == file.inode:
            continue
        key, meta, content = folder.entry(file, md5)
        try:
            there = cache.check(md5)
        except (FileNotFoundError, ObjectFormatError):
            there = None
        if _needs_relink(os.path.join(folder.root, *key), cache, meta, there, md5):  # noqa: PTH118
            entry = TreeEntry(there, key, meta, content)
            yield Change(old=entry, new=entry)
