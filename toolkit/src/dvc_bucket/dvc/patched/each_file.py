"""What DVC computes for each file of a directory that it hashes, with fewer objects and calls.

- `wanted`, in the place of `DvcIgnorePatterns.__call__`: DVC matches each folder on the path of a
  file again, and keeps each answer.
- `noted`, in the place of `State._get`: the hash that was noted of a file, if its inode, time and
  size are the same.
- `as_bytes`, in the place of `Tree.as_bytes`: DVC makes a dictionary of each line.
"""

import functools
import hashlib
from collections.abc import Callable
from stat import S_IXGRP, S_IXOTH, S_IXUSR
from typing import Any

from dvc_bucket.dvc.patched import file_lists
from dvc_bucket.dvc.patched.stage_touch_points import AS_BYTES, NOTED, WANTED

#: What DVC has of a local file that is no link. Source: `_localfs_info` in dvc-data.
KEYS = frozenset(
    ("name", "size", "type", "created", "islink", "mode", "uid", "gid", "mtime", "ino", "nlink")
)

#: Permissions of a program.
EXECUTABLE = S_IXUSR | S_IXGRP | S_IXOTH


def wanted(original: Callable[..., Any]) -> Callable[..., Any]:
    """The method that leaves out the names in a folder that `.dvcignore` takes out."""

    @functools.wraps(original)
    def ours(patterns: Any, root: str, dirs: list[str], files: list[str]) -> Any:
        folder = patterns._get_normalize_path(root, "")
        if folder is None or patterns.sep != "/":
            return original(patterns, root, dirs, files)
        dirs, _ = original(patterns, root, dirs, [])
        if folder and patterns._ignore(folder.rstrip("/"), True)[0]:
            return dirs, []
        rules = [
            (regex.match, is_out)
            for regex, is_out, is_of_folders, _ in reversed(patterns.ignore_spec)
            if not is_of_folders
        ]
        kept = (
            name
            for name in files
            if not next((is_out for match, is_out in rules if match(folder + name)), False)
        )
        return dirs, list(kept)

    return ours


def noted(original: Callable[..., Any]) -> Callable[..., Any]:
    """The method that reads a note about a file; None if the file has changed since.

    Source of the hashed text: `_checksum` in dvc-data, and `tokenize` in fsspec.
    """
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.meta import Meta
    from dvc_data.json_compat import loads

    @functools.wraps(original)
    def ours(state: Any, path: str, raw: str, info: dict[str, Any]) -> Any:
        if info.keys() != KEYS:
            return original(state, path, raw, info)
        size, inode, mtime = info["size"], info["ino"], info["mtime"]
        try:
            entry = loads(raw)
        except ValueError:
            return None
        if entry["checksum"] != state_of(inode, mtime, size):
            return None
        if entry.get("version") != state.HASH_VERSION or len(entry["hash_info"]) != 1:
            return original(state, path, raw, info)
        ((name, value),) = entry["hash_info"].items()
        meta = Meta(
            info["type"] == "directory",
            size,
            isexec=bool(info["mode"] & EXECUTABLE),
            inode=inode,
            mtime=mtime,
            is_link=info["islink"],
            nlink=info["nlink"],
        )
        return meta, HashInfo(name, value)

    return ours


def state_of(inode: int, mtime: float, size: int) -> str:
    """What tells in a note that a file has changed since.

    Source of the hashed text: `_checksum` in dvc-data, and `tokenize` in fsspec.
    """
    text = f"([{inode}, {mtime!r}, {size}],)".encode()
    return str(int(hashlib.md5(text, usedforsecurity=False).hexdigest(), 16))


def as_bytes(original: Callable[..., bytes]) -> Callable[..., bytes]:
    """The method that writes the list of a directory's files."""

    @functools.wraps(original)
    def ours(tree: Any, with_meta: bool = False) -> bytes:
        lines = []
        for parts, _, content in tree:
            if with_meta or not content or content.name != "md5":
                return original(tree, with_meta)
            lines.append(("/".join(parts), content.value))
        return file_lists.written(sorted(lines))

    return ours


#: Our functions by the place of DVC's.
OURS: dict[str, Callable[[Any], Any]] = {WANTED: wanted, NOTED: noted, AS_BYTES: as_bytes}
