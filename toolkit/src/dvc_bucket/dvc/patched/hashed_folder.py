"""Hashes a directory, most of whose files have a note of their hash, with one tuple for each file.

DVC makes five objects and two dictionaries of each file. Here its notes are read in the order of
the paths, and DVC's objects are made of the files that somebody asks for. The results are DVC's:
files without a valid note go to the function with which DVC looks for notes, hashes, and notes.
"""

import os
from collections.abc import Iterator
from functools import cached_property
from stat import S_ISLNK
from typing import Any, NamedTuple

from dvc_data.fsutils import _localfs_info
from dvc_data.hashfile.build import DefaultIgnoreFile, _get_hashes, _get_staging
from dvc_data.hashfile.db import add_update_tree
from dvc_data.hashfile.db.local import LocalHashFileDB
from dvc_data.hashfile.db.reference import ReferenceHashFileDB
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.meta import Meta
from dvc_data.hashfile.obj import HashFile
from dvc_data.hashfile.state import State
from dvc_data.hashfile.tree import Tree
from dvc_data.json_compat import loads
from dvc_objects.fs.local import LocalFileSystem

from dvc_bucket.dvc.patched import each_file, file_lists

#: DVC hashes larger files, in bytes, in threads. Source: `_build_files` in dvc-data.
LARGE_BYTES = 2**20

#: DVC's notes of the files between two paths.
NOTES = "SELECT key, value FROM Cache WHERE raw = 1 AND key > ? AND key < ? ORDER BY key"

#: A path after all others.
LAST = "\U0010ffff"


class OtherFolderError(Exception):
    """A directory is empty, or has a name that only DVC's own function reports."""


class File(NamedTuple):
    """A file as the disk has it; of a link, the file that it leads to.

    Attributes:
        path: below the directory.
        size: in bytes.
        mtime: in seconds since 1970.
        destination: of a link; None of a file.
    """

    path: str
    size: int
    mtime: float
    inode: int
    mode: int
    links: int
    destination: str | None


class Folder(Tree):
    """DVC's tree of a directory, which makes DVC's entries when one of them is asked for.

    Attributes:
        root: the directory.
        files: in the order of their paths.
        hashes: MD5 of each.
        inodes: by MD5, of objects that the cache is known to have.
    """

    def __init__(self, root: str, files: list[File], hashes: list[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.root, self.files, self.hashes = root, files, hashes
        self.inodes: dict[str, int] = {}
        del self._dict

    def __getattr__(self, name: str) -> Any:
        if name != "_dict":
            raise AttributeError(name)
        entries = map(self.entry, self.files, self.hashes)
        self._dict = {key: (meta, content) for key, meta, content in entries}
        return self._dict

    def __len__(self) -> int:
        return len(self.files)

    def as_bytes(self, with_meta: bool = False) -> bytes:
        """The list of the files, as DVC writes it."""
        if with_meta:
            text: bytes = super().as_bytes(with_meta)
            return text
        return file_lists.written(zip((file.path for file in self.files), self.hashes, strict=True))

    @staticmethod
    def entry(file: File, md5: str) -> tuple[tuple[str, ...], Meta, HashInfo]:
        """What DVC's tree has of a file."""
        meta = Meta(
            size=file.size,
            isexec=bool(file.mode & each_file.EXECUTABLE),
            inode=file.inode,
            mtime=file.mtime,
            is_link=file.destination is not None,
            destination=file.destination,
            nlink=file.links,
        )
        return tuple(file.path.split("/")), meta, HashInfo("md5", md5)


class Staging(ReferenceHashFileDB):
    """DVC's store of objects that lie in the work tree, which makes them when it is asked for them.

    Args:
        like: an empty one.
        folder: whose files the objects are.
        fs: the file system of the directory.
    """

    def __init__(self, like: ReferenceHashFileDB, folder: Folder, fs: Any) -> None:
        super().__init__(like.fs, like.path, state=like.state, hash_name=like.hash_name)
        self.folder, self._folder_fs = folder, fs

    def get(self, oid: str) -> HashFile:
        """An object: a file of the directory, or its list."""
        if oid in self._paths and not self.exists(oid):
            self.add(self._paths[oid], self._folder_fs, oid)
        found: HashFile = super().get(oid)
        return found

    @cached_property
    def _paths(self) -> dict[str, str]:
        folder = self.folder
        paths = (f"{folder.root}/{file.path}" for file in folder.files)
        return dict(zip(folder.hashes, paths, strict=True))


def is_plain(odb: Any, path: str, fs: Any, name: str) -> bool:
    """Whether this is a directory on a disk, of which the hash in a local cache is wanted."""
    return (
        name == odb.hash_name == "md5"
        and type(odb) is LocalHashFileDB
        and isinstance(fs, LocalFileSystem)
        and isinstance(odb.state, State)
        and fs.sep == "/"
        and path == os.path.normpath(path) != "/"
        and os.path.isdir(path)  # noqa: PTH112 (for speed)
    )


def build(
    odb: Any, path: str, fs: Any, ignore: Any, callback: Any, jobs: int | None
) -> tuple[Staging, Meta, Folder]:
    """What DVC's `build` returns for a directory of local files.

    Args:
        odb: the cache.
        path: of the directory.
        fs: DVC's local file system.
        ignore: what `.dvcignore` takes out; None for nothing.
        callback: hears of progress.
        jobs: number of threads that hash large files.

    Raises:
        OtherFolderError: DVC's own function is to do it.
        OSError: a file cannot be read, or is gone.
    """
    files = list(_files(path, fs, ignore))
    files.sort()
    _refuse_other_names(files)
    noted = list(_noted(odb.state, path, files))
    lacking = [at for at, md5 in enumerate(noted) if md5 is None]
    callback.set_size((callback.size or 0) + len(files))
    callback.relative_update(len(files) - len(lacking))
    paths = {f"{path}/{files[at].path}": at for at in lacking}
    infos = {name: _localfs_info(name) for name in paths}
    hashed = _get_hashes([*infos], fs, "md5", infos, odb.state, callback, jobs, LARGE_BYTES)
    for name, at in paths.items():
        _, content, info = hashed[name]
        noted[at] = content.value
        files[at] = _file(files[at].path, info)
    folder = Folder(path, files, [md5 for md5 in noted if md5 is not None])
    folder.digest()
    staging = Staging(_get_staging(odb), folder, fs)
    add_update_tree(staging, folder)
    size = sum(file.size for file in files)
    return staging, Meta(size=size, nfiles=len(files), isdir=True), folder


def _files(path: str, fs: Any, ignore: Any) -> Iterator[File]:
    """The files of a directory, as DVC finds them.

    Raises:
        OtherFolderError: one says which files are to be ignored. DVC refuses it.
    """
    for root, _, names in ignore.walk(fs, path) if ignore else fs.walk(path):
        if DefaultIgnoreFile in names:
            raise OtherFolderError
        below = f"{root}/"[len(path) + 1 :]
        for name in names:
            file = f"{root}/{name}"
            found = os.lstat(file)
            if S_ISLNK(found.st_mode):
                yield _file(below + name, _localfs_info(file))
                continue
            yield File(
                below + name,
                found.st_size,
                found.st_mtime,
                found.st_ino,
                found.st_mode,
                found.st_nlink,
                None,
            )


def _file(path: str, info: dict[str, Any]) -> File:
    """A file, from what DVC has of it."""
    return File(
        path,
        info["size"],
        info["mtime"],
        info["ino"],
        info["mode"],
        info["nlink"],
        info.get("destination"),
    )


def _refuse_other_names(files: list[File]) -> None:
    """Leave to DVC what it cannot note, or has a message for.

    Raises:
        OtherFolderError: there is no file, or a name is not UTF-8.
    """
    try:
        if not "\n".join(file.path for file in files).encode():
            raise OtherFolderError
    except UnicodeEncodeError:
        raise OtherFolderError from None


def _noted(state: Any, root: str, files: list[File]) -> Iterator[str | None]:
    """The MD5 that is noted of each file; None if it has changed since, or has no note.

    The database has the order of bytes, which in UTF-8 is that of the code points in Python.
    """
    rows = state.hashes._sql(NOTES, (f"{root}/", f"{root}0"))
    path, note = "", ""
    for file in files:
        wanted = f"{root}/{file.path}"
        while path < wanted:
            path, note = next(rows, (LAST, ""))
        yield _md5(note, file) if path == wanted else None


def _md5(note: str, file: File) -> str | None:
    """The hash in a note, if the file is as it was."""
    try:
        entry = loads(note)
    except ValueError:
        return None
    is_same = entry["checksum"] == each_file.state_of(file.inode, file.mtime, file.size)
    if not is_same or entry.get("version") != State.HASH_VERSION:
        return None
    md5: str | None = entry["hash_info"].get("md5")
    return md5
