"""The tracked tree of a revision as a file system of fsspec, `dvcbucket://`: read only.

pandas, xarray, zarr, dask, duckdb, h5py and others read through fsspec. A file comes from this disk
if it is there, and else from the bucket: ranges of it by hash, without a copy on the disk.

What a read proves is what `open_file` proves, for every kind of file.
"""

import errno
import functools
import os
import posixpath
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from fsspec.caching import BlockCache
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from dvc_bucket.read.content import Content
from dvc_bucket.read.proof import Proven
from dvc_bucket.read.revision_files import RevisionFiles
from dvc_bucket.read.tree import Tree

#: Scheme of the URLs.
PROTOCOL = "dvcbucket"

#: Blocks that are kept of an open file, for small reads. A larger read is requested as it is.
BLOCK_BYTES = 256 * 1024
MAX_BLOCKS = 64

#: A file up to this size comes whole, with one request, where all of it is asked for.
WHOLE_BYTES = 8 * 1024 * 1024

#: Reads that are under way at once where several are asked for.
THREADS = 32


def filesystem(
    rev: str | None = None,
    repo: str | None = None,
    remote: str | None = None,
    project: str | Path | None = None,
    *,
    proven: Proven | None = None,
) -> "TrackedFileSystem":
    """The files of a revision that DVC or git tracks, as a read-only fsspec file system.

    Paths start at the project's root. Libraries that support fsspec accept `dvcbucket://PATH` with
    these arguments as `storage_options`.

    Args:
        rev: branch, tag or commit; None for the workspace.
        repo: URL or folder of another repository; None for the project around the current folder.
        remote: DVC's name of the remote; None for the default one.
        project: a folder in the project; None for the current folder.
        proven: "full" to hash the whole file before a part is read; see `open_dataset`.

    Raises:
        RevisionError: the revision or repository does not exist.
        ProjectError, SettingsError: as `open_dataset`.
    """
    return TrackedFileSystem(rev, repo, remote, project, proven=proven)


class TrackedFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The tracked files of a revision; arguments and errors of `filesystem`.

    The size of a file in a directory is known when it is on this disk. Where it is not, a listing
    says None, and `info` asks the bucket.
    """

    protocol = PROTOCOL
    cachable = False  # the workspace changes, and branches move

    def __init__(
        self,
        rev: str | None = None,
        repo: str | None = None,
        remote: str | None = None,
        project: str | Path | None = None,
        *,
        proven: Proven | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        # Of another repository, only what is committed can be read.
        wanted = rev or ("HEAD" if repo else None)
        start = Path(project) if project else None
        tree = Tree.at(wanted, remote, repo, start=start)
        self._files = RevisionFiles(tree, is_full=proven == "full")
        root = None if repo else tree.project.root
        self._arguments = (tree.commit, repo, remote, root)
        self._proven = proven

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process opens it again: the same clone, at the same commit."""
        return functools.partial(TrackedFileSystem, *self._arguments, proven=self._proven), ()

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(item) for item in path]
        path = posixpath.normpath(super()._strip_protocol(path).lstrip("/") or ".")
        return "" if path == "." else path

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """What is in a folder, or the file itself; the size is None where only the bucket has it.

        Raises:
            FileNotFoundError: the revision has nothing there (`NoSuchPathError`).
        """
        path = self._strip_protocol(path)
        entry = self._files.entry(path)
        is_file = entry["type"] == "file"
        paths = [path] if is_file else self._files.names.children(path) or []
        return [self._files.entry(item) for item in paths] if detail else paths

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, size, type and hash of a file or folder; errors as of `ls`."""
        return self._files.entry(self._strip_protocol(path), is_exact=True)

    def modified(self, path: str) -> datetime:
        """When a file was written, here or to the remote; of a file in git, the commit."""
        return self._files.modified(self._strip_protocol(path))

    def ukey(self, path: str) -> str:
        """The hash of a file: the same as long as its content is."""
        entry = self.info(path)
        return str(entry.get("md5") or entry.get("git") or super().ukey(path))

    def checksum(self, path: str) -> int:
        """The hash of a file as a number."""
        return int(self.ukey(path), 16)

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **_: Any
    ) -> bytes:
        """The content of a file, or a part of it.

        Raises:
            FileNotFoundError: the revision has no such file (`NoSuchPathError`).
            BucketError: as `open_file`.
        """
        path = self._strip_protocol(path)
        whole = self._files.whole(path, WHOLE_BYTES) if start is None and end is None else None
        if whole is not None:
            return whole
        with self._open(path) as file:
            begin, stop, _step = slice(start, end).indices(file.seek(0, os.SEEK_END))
            file.seek(begin)
            return bytes(file.read(max(0, stop - begin)))

    def cat(
        self, path: Any, recursive: bool = False, on_error: str = "raise", **options: Any
    ) -> Any:
        """Contents of files, several at a time, by path; of a single path, the content."""
        paths = self.expand_path(path, recursive=recursive)
        if isinstance(path, str) and paths == [self._strip_protocol(path)]:
            return self.cat_file(paths[0], **options)
        contents = self._each(lambda item: self.cat_file(item, **options), paths, on_error)
        return {
            name: content
            for name, content in zip(paths, contents, strict=True)
            if not (on_error == "omit" and isinstance(content, Exception))
        }

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        on_error: str = "return",
        **_: Any,
    ) -> list[Any]:
        """Parts of files, several at a time, in the order that was asked for.

        `max_gap` is fsspec's hint that near parts may come together; here each is a request.
        """
        del max_gap
        count = len(paths)
        begins = starts if isinstance(starts, list) else [starts] * count
        stops = ends if isinstance(ends, list) else [ends] * count
        parts = list(zip(paths, begins, stops, strict=True))
        return self._each(lambda part: self.cat_file(*part), parts, on_error)

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if mode != "rb":
            raise OSError(errno.EROFS, f"{PROTOCOL}:// is read only", path)
        content = self._files.open(path)
        return _RecordedFile(self, path, content) if isinstance(content, Content) else content

    def _each(self, read: Callable[[Any], Any], items: Sequence[Any], on_error: str) -> list[Any]:
        """Results of reads, several at a time; an exception is raised, or returned in its place."""

        def one(item: Any) -> Any:
            try:
                return read(item)
            except Exception as error:  # the caller of fsspec decides
                if on_error == "raise":
                    raise
                return error

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(one, items))


class _Ranges(BlockCache):  # type: ignore[misc]  # fsspec has no types
    """Blocks for small reads, as those of headers are; a large read is one request of its own."""

    name = "dvcbucket"

    def _fetch(self, start: int | None, end: int | None) -> bytes:
        begin, stop = start or 0, self.size if end is None else min(end, self.size)
        if stop - begin >= self.blocksize:
            return bytes(self.fetcher(begin, stop))
        return bytes(super()._fetch(begin, stop))


class _RecordedFile(AbstractBufferedFile):  # type: ignore[misc]  # fsspec has no types
    """An open file that DVC recorded."""

    def __init__(self, fs: TrackedFileSystem, path: str, content: Content) -> None:
        size = content.seek(0, os.SEEK_END)
        super().__init__(fs, path, cache_type="none", size=size)
        self.cache = _Ranges(BLOCK_BYTES, self._fetch_range, size, MAX_BLOCKS)
        self._content = content

    def _fetch_range(self, start: int, end: int) -> bytes:
        self._content.seek(start)
        return b"".join(self._content.pieces(end))
