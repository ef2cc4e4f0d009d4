"""Adds a directory of which most files are in the cache, without objects for each of these files.

To add one more file, DVC reads the list of all files twice from memory, looks at each object in the
cache twice, and makes five objects of each file to find that all but one are there and linked.

- `transfer`, in the place of DVC's function for `add` and `commit`, has DVC transfer what the cache
  lacks, and fails where DVC cannot: DVC itself goes on and records data that is not in the cache.
- `difference`, in the place of DVC's `_diff`, finds which files have another kind of link than the
  cache asks for. DVC links these.
- `times`, in the place of DVC's `_get_mtime_from_changes`, makes DVC's note of the directory.

An object counts as there if it is protected, as for DVC. Of all others, DVC looks at the content.
"""

import os
import re
import stat
from collections.abc import Iterator
from typing import Any

from dvc_bucket.base.words import counted
from dvc_bucket.dvc.patched import lookups
from dvc_bucket.dvc.patched.stage_touch_points import ADDED, ADDED_TIMES, DIFFERENCE

#: A line of a list that DVC has just written. In a path, each quote has a backslash before it.
MD5, PATH = re.compile(r'\{"md5": "([0-9a-f]{32})", '), '"relpath": "'


class _Unchanged(list[Any]):
    """In the place of DVC's list of unchanged files: the directory."""

    tree: Any


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
        from dvc_data.hashfile.tree import Tree
        from dvc_objects.fs.local import LocalFileSystem

        is_added = (
            named.get("relink")
            and named.get("old") is obj
            and isinstance(obj, Tree)
            and isinstance(fs, LocalFileSystem)
            and isinstance(cache.fs, LocalFileSystem)
            and all(meta and meta.mtime is not None for _, meta, _ in obj)
        )
        if not is_added:
            return original(path, fs, obj, cache, **named)
        unchanged = _Unchanged()
        unchanged.tree = obj
        return DiffResult(modified=list(_other_links(path, obj, cache)), unchanged=unchanged)

    return ours


def times(original: Any) -> Any:
    """DVC's hash of the times of a directory's files, after `difference`."""

    def ours(path: str, fs: Any, diff: Any, updated_mtimes: Any) -> Any:
        if not isinstance(diff.unchanged, _Unchanged):
            return original(path, fs, diff, updated_mtimes)
        found = dict[str, float]()
        for key, meta, _ in diff.unchanged.tree:
            file = "/".join((path, *key))
            found[file] = updated_mtimes.get(file, meta.mtime)
        return lookups.hash_of_times(sorted(found.items()))

    return ours


#: Our functions by the place of DVC's.
OURS = {ADDED: transfer, DIFFERENCE: difference, ADDED_TIMES: times}


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
    from dvc_data.hashfile.db.reference import ReferenceHashFileDB
    from dvc_data.hashfile.hash_info import HashInfo

    are_ours = isinstance(src, ReferenceHashFileDB) and type(dest) is LocalHashFileDB
    if not are_ours or len(obj_ids) != 1 or src.hash_name != "md5" or dest.hash_name != "md5":
        return None
    (name,) = obj_ids
    if not name.isdir:
        return None
    raw = src.get(name.value)
    try:
        with raw.fs.open(raw.path, "r", encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError:
        return None
    found = MD5.findall(text)
    if len(found) != text.count(PATH):  # other hashes
        return None
    mode = dest.CACHE_MODE
    return {HashInfo("md5", md5) for md5 in {*found} if _mode(dest.oid_to_path(md5)) != mode}


def _mode(path: str) -> int:
    """The permissions of a file; -1 if it is not there, or its folder cannot be entered."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)  # noqa: PTH116 (for speed)
    except OSError:  # DVC looks again, and has its words
        return -1


def _other_links(path: str, tree: Any, cache: Any) -> Iterator[Any]:
    """DVC's changes of the files that it links in another way."""
    from dvc_data.hashfile.checkout import _needs_relink
    from dvc_data.hashfile.diff import Change, TreeEntry
    from dvc_objects.errors import ObjectFormatError

    wanted = next(iter(cache.cache_types), None)
    are_copies, are_hard = wanted in {"copy", "reflink"}, wanted == "hardlink"
    for key, meta, oid in tree:
        if are_copies and meta.nlink <= 1 and not meta.is_link:
            continue
        if are_hard and meta.nlink > 1 and _inode(cache, oid) == meta.inode:
            continue
        try:
            there = cache.check(oid.value)
        except (FileNotFoundError, ObjectFormatError):
            there = None
        file = "/".join((path, *key))
        if _needs_relink(file, cache, meta, there, oid.value):
            entry = TreeEntry(there, key, meta, oid)
            yield Change(old=entry, new=entry)


def _inode(cache: Any, oid: Any) -> int | None:
    try:
        return os.stat(cache.oid_to_path(oid.value)).st_ino  # noqa: PTH116 (for speed)
    except OSError:  # DVC looks again, and has its words
        return None
