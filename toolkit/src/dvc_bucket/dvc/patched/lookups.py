"""What DVC looks up and notes for each output, without opening files for it each time.

- `is_tracked`, in the place of a method of scmrepo: DVC reads git's settings and the whole index to
  learn whether git tracks an output.
- `set_link`, in the place of `State.set_link`: DVC opens a database for each output, and closes it,
  which waits for the disk five times. It stays open here, as DVC's database of hashes does.
- `mtime_and_size`, in the place of DVC's function for a whole directory: DVC makes one JSON text of
  all paths and times to hash it, for which it holds 700 bytes a file.
"""

import hashlib
import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import Any

from dvc_bucket.dvc.patched.replacement import replacement

#: With more threads the database is closed each time: each thread has it open for itself.
MANY_THREADS = 40

#: By the path of an index: what tells that it has changed, and the sorted paths in it.
_tracked: dict[str, tuple[tuple[int, ...], list[bytes]]] = {}


@replacement
def is_tracked(_: Callable[..., bool], backend: Any, path: str) -> bool:
    """The method that tells whether git tracks a file, or a file in a folder."""
    relative = os.path.relpath(path, backend.root_dir).replace(os.path.sep, "/").encode()
    names, folder = _names(backend.repo), relative + b"/"
    same, below = bisect_left(names, relative), bisect_left(names, folder)
    is_below = any(name.startswith(folder) for name in names[below : below + 1])
    return is_below or names[same : same + 1] == [relative]


@replacement
def set_link(original: Callable[..., None], state: Any, path: str, inode: Any, mtime: Any) -> None:
    """The method that notes a file which DVC put into the work tree."""
    if threading.active_count() > MANY_THREADS:
        original(state, path, inode, mtime)
    else:
        state.links[os.path.relpath(path, state.root_dir)] = (inode, mtime)


@replacement
def mtime_and_size(
    original: Callable[..., tuple[str, int]], path: str, fs: Any, ignore: Any = None
) -> tuple[str, int]:
    """The function that tells whether a file or directory was changed: hash of times, and size."""
    from dvc_objects.fs.local import LocalFileSystem

    if not isinstance(fs, LocalFileSystem) or not fs.isdir(path):
        return original(path, fs, ignore)
    size = 0

    def times() -> Iterator[tuple[str, float]]:
        nonlocal size
        for file in sorted(ignore.find(fs, path) if ignore else fs.find(path)):
            try:
                state = os.stat(file)  # noqa: PTH116 (for speed)
            except FileNotFoundError:  # a broken link
                continue
            size += state.st_size
            yield file, state.st_mtime

    return hash_of_times(times()), size


def hash_of_times(times: Iterable[tuple[str, float]]) -> str:
    """DVC's hash of the files of a directory: paths, sorted, and their times in seconds.

    Source of the hashed text: `_tokenize_mtimes` in dvc-data.
    """
    between, digest = "{", hashlib.md5(usedforsecurity=False)
    for file, time in times:
        digest.update(f"{between}{quoted(file)}: {time!r}".encode())
        between = ", "
    digest.update(b"}" if between == ", " else b"{}")
    return digest.hexdigest()


def _names(repo: Any) -> list[bytes]:
    """The paths in an index, sorted; read again when the file is another one.

    Git and dulwich write an index to a new file, which they rename.
    """
    index = repo.index_path()
    try:
        state = Path(index).stat()
    except FileNotFoundError:
        return sorted(repo.open_index())
    mark = (state.st_ino, state.st_size, state.st_mtime_ns)
    if index not in _tracked or _tracked[index][0] != mark:
        _tracked[index] = (mark, sorted(repo.open_index()))
    return _tracked[index][1]
