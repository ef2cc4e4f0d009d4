"""Objects by short names of bytes: a million of them fit into a small array (`arrays`).

The name of an object of DVC is the MD5 of its content and a letter: `f` for a file, `d` for the
list of a directory's files; `F` and `D` in the layout that DVC used before version 3, whose MD5 is
of the text with Unix line ends. Remote and local cache keep an object below the same path.
The name of an object of Git LFS is the SHA-256 of its content and the letter `l`.
"""

import hashlib
import io
import re
from pathlib import Path

from dvc_bucket.dvc import hashes
from dvc_bucket.git import lfs_layout as layout

#: Bytes of the name of an object of DVC.
SIZE = 17

#: Where the layout of today has its objects.
FOLDER = "files/md5/"

#: How the name of an object of Git LFS ends.
LFS = b"l"

#: An object's path below the remote's prefix.
PATH = re.compile(rf"({FOLDER})?([0-9a-f]{{2}})/([0-9a-f]{{30}})(\.dir)?")


def encode(oid: str, *, legacy: bool = False) -> bytes:
    """The name of an object that DVC calls `oid`.

    Raises:
        ValueError: it is not an MD5, with or without `.dir`.
    """
    digest = bytes.fromhex(oid.removesuffix(".dir"))
    if len(digest) != SIZE - 1:
        raise ValueError(f"{oid} is not an MD5")
    letter = b"d" if oid.endswith(".dir") else b"f"
    return digest + (letter.upper() if legacy else letter)


def from_path(path: str) -> bytes | None:
    """The name of the object at a path below the remote's prefix; None if it is no object's."""
    if parts := PATH.fullmatch(path):
        letter = b"d" if parts[4] else b"f"
        return bytes.fromhex(parts[2] + parts[3]) + (letter if parts[1] else letter.upper())
    parts = layout.PATH.fullmatch(path)
    return of_lfs(parts[3]) if parts else None


def of_lfs(sha256: str) -> bytes:
    """The name of the object of Git LFS with this hash."""
    return bytes.fromhex(sha256) + LFS


def digest(name: bytes) -> str:
    """The hash that the content must have, hexadecimal: the SHA-256 for Git LFS, else the MD5."""
    return name[:-1].hex()


def md5(name: bytes) -> str:
    """The hash that the content of an object of DVC must have, hexadecimal."""
    return digest(name)


def oid(name: bytes) -> str:
    """What DVC calls the object."""
    return md5(name) + (".dir" if is_list(name) else "")


def path(name: bytes) -> str:
    """Where the object is below a remote's prefix, and below the cache folder."""
    if is_lfs(name):
        return layout.path(digest(name))
    value = oid(name)
    return f"{folder(name)}{value[:2]}/{value[2:]}"


def folder(name: bytes) -> str:
    """Where the layout has objects of this kind, below a remote's prefix."""
    return layout.FOLDER if is_lfs(name) else "" if is_legacy(name) else FOLDER


def is_list(name: bytes) -> bool:
    """Whether the object lists the files of a directory."""
    return name[-1:] in b"dD"


def is_legacy(name: bytes) -> bool:
    """Whether the object is one of the layout before DVC 3."""
    return name[-1:] in b"FD"


def is_lfs(name: bytes) -> bool:
    """Whether the object is one of Git LFS."""
    return name[-1:] == LFS


def is_text(name: bytes) -> bool:
    """Whether the object's hash is one of text with Unix line ends; never that of a list."""
    return is_legacy(name) and not is_list(name)


def hash_of(file: io.BufferedIOBase, name: bytes) -> str:
    """The hash of what is left in an open file, in the way of the object `name`; hexadecimal."""
    if is_lfs(name):
        return hashlib.file_digest(file, "sha256").hexdigest()
    return hashes.of_stream(file, legacy=is_text(name))


def file_hash(path: Path, name: bytes) -> str:
    """The hash of a file, in the way of the object `name`; hexadecimal."""
    with path.open("rb") as file:
        return hash_of(file, name)


def is_right(path: Path, name: bytes) -> bool:
    """Whether a file has the content that the name of an object promises.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    return file_hash(path, name) == digest(name)
