"""The hash that DVC gives a file or a directory: what names it in `dvc.lock`.

Of a file, the MD5 of its bytes. Of a directory, that of a JSON list of its files, and `.dir`; see
`Tree.as_bytes` in `dvc_data/hashfile/tree.py`.
"""

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path

#: How the hash of a directory ends.
DIRECTORY = ".dir"


def dvc_hash(path: Path) -> str:
    """The DVC hash of the current content of `path`.

    Raises:
        OSError: it does not exist or cannot be read.
    """
    if not path.is_dir():
        return of_file(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return of_directory((file.relative_to(path).as_posix(), of_file(file)) for file in files)


def of_file(path: Path, *, legacy: bool = False) -> str:
    """The hash of a file; `legacy` as of `of_stream`."""
    with path.open("rb") as file:
        return of_stream(file, legacy=legacy)


def of_bytes(content: bytes, *, legacy: bool = False) -> str:
    """The hash of a file's content; `legacy` as of `of_stream`."""
    return of_stream(io.BytesIO(content), legacy=legacy)


def of_stream(file: io.BufferedIOBase, *, legacy: bool = False) -> str:
    """The hash of what is left in an open file; `legacy` as before DVC 3, of Unix line ends."""
    if legacy:
        from dvc_bucket.dvc.patched import hashes

        return hashes.md5_of_text(file)
    return hashlib.file_digest(file, _md5).hexdigest()


def of_directory(files: Iterable[tuple[str, str]]) -> str:
    """The hash of a directory of files, each given as its path in there and its hash."""
    listed = [{"md5": value, "relpath": path} for path, value in sorted(files)]
    return of_bytes(json.dumps(listed, sort_keys=True).encode()) + DIRECTORY


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)
