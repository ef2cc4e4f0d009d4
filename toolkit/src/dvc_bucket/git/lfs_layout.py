"""Where objects of Git LFS are in the bucket, and the pointers that git holds in their place.

Objects are named by the SHA-256 of their content and lie below the prefix as git-lfs lays them out
in `.git/lfs/objects`. Source of the pointers' format: git-lfs, `docs/spec.md`.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.git.contents import Repository, git

#: Below the remote's prefix.
FOLDER = "lfs/"

#: An object's path below the prefix.
PATH = re.compile(rf"{FOLDER}([0-9a-f]{{2}})/([0-9a-f]{{2}})/(\1\2[0-9a-f]{{60}})")

#: A file of this size or more is no pointer.
POINTER_BYTES = 1024

#: What it says first, that of a git-lfs before its first release too; other lines may follow each.
POINTER = re.compile(
    rb"version https://(?:git-lfs\.github|hawser\.github)\.com/spec/v1\n"
    rb"(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:([0-9a-f]{64})\n"
    rb"(?:[a-z0-9.-]+ [^\n]*\n)*?size ([0-9]+)\n"
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """What git holds in the place of a file.

    Attributes:
        oid: the SHA-256 of its content, hexadecimal.
        size: of that, in bytes.
    """

    oid: str
    size: int

    @classmethod
    def parse(cls, content: bytes) -> "Pointer | None":
        """The pointer that a content of git is; None if it is none."""
        match = POINTER.match(content)
        return cls(match[1].decode(), int(match[2])) if match else None


def path(oid: str) -> str:
    """Where an object is below the prefix."""
    return f"{FOLDER}{oid[:2]}/{oid[2:4]}/{oid}"


def key(prefix: str, oid: str) -> str:
    """Its key in the bucket."""
    return f"{prefix}/{path(oid)}".lstrip("/")


def promised_sha256(key: str) -> str | None:
    """The SHA-256 that a key promises; None where it is no object's."""
    oid = key.rpartition("/")[2]
    return oid if PATH.fullmatch(key[-len(path(oid)) :]) else None


def storage(repository: Repository) -> Path:
    """git-lfs's folder: objects and temporary files."""
    try:
        folder = git(repository.project, "config", "--type=path", "lfs.storage")
    except ProjectError:  # it is not set
        return repository.git_dir / "lfs"
    return repository.git_dir / os.fsdecode(folder).rstrip("\n")
