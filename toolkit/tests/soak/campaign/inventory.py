"""All contents of a sandbox, and the places that have them."""

import hashlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import obstore

if TYPE_CHECKING:
    from tests.soak.campaign.sandbox import Sandbox

#: Folders whose files the tools make again.
TOOLS_OWN = frozenset(
    {".venv", "__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"}
)

#: Folders of the sandbox that are no place of the user's.
NOT_COUNTED = frozenset({"home", "tmp"})

#: Lists objects that a reference, the reflog or an index reaches.
REACHED = (
    *("rev-list", "--objects", "--no-object-names", "--ignore-missing"),
    *("--all", "--reflog", "--indexed-objects"),
)

#: A line of every hook that the user of the campaign writes.
USERS_HOOK = b"# a hook of my own\n"

Kind = Literal["file", "git", "dvc", "lfs"]


class Place(NamedTuple):
    """Where a content is.

    Attributes:
        kind: of the place: a file, git's objects, an object of DVC or of Git LFS.
        path: from the sandbox's root; of an object in the bucket, `bucket:KEY`.
    """

    kind: Kind
    path: str


@dataclass
class Inventory:
    """Contents by their SHA-256.

    Attributes:
        places: of each content.
        contents: the bytes.
    """

    places: dict[str, set[Place]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)

    def add(self, content: bytes, place: Place) -> None:
        if content:
            name = sha256(content)
            self.places.setdefault(name, set()).add(place)
            self.contents[name] = content

    def files(self) -> Mapping[str, bytes]:
        """Contents of the files, by path."""
        return {
            place.path: self.contents[name]
            for name, places in self.places.items()
            for place in places
            if place.kind == "file"
        }

    def objects(self) -> Mapping[str, bytes]:
        """Contents of the objects of DVC, by the MD5 that names them."""
        return {
            md5(self.contents[name]): self.contents[name]
            for name, places in self.places.items()
            if any(place.kind == "dvc" for place in places)
        }


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


class Taker:
    """Takes inventories of one sandbox; remembers what cannot change."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox
        self._known: dict[tuple[str, str | None], bytes] = {}

    def take(self, *, deep: bool = False) -> Inventory:
        """Look everywhere.

        Args:
            deep: read every object of the bucket, also those whose ETag was seen before.
        """
        found = Inventory()
        if deep:
            self._known.clear()
        for path in _walk(self._sandbox.root, Path()):
            found.add((self._sandbox.root / path).read_bytes(), Place("file", os.fspath(path)))
        for repository, git_dir in self._sandbox.repositories():
            for blob in _blobs(git_dir):
                found.add(blob, Place("git", repository))
            self._add_private(found, repository, git_dir)
        for key, content in self._bucket():
            if kind := proven(key, content):
                found.add(content, Place(kind, f"bucket:{key}"))
        return found

    def _add_private(self, found: Inventory, repository: str, git_dir: Path) -> None:
        """What lies in a clone's own folders beside git's objects."""
        root = self._sandbox.root / repository
        for folder in (root / ".dvc" / "cache" / "files", git_dir / "lfs" / "objects"):
            for path in _walk(folder, Path()):
                content = (folder / path).read_bytes()
                if kind := proven(os.fspath(path), content):
                    place = (folder / path).relative_to(self._sandbox.root)
                    found.add(content, Place(kind, os.fspath(place)))
        for hook in (git_dir / "hooks").glob("*"):
            if hook.is_file() and USERS_HOOK in (content := hook.read_bytes()):
                found.add(content, Place("file", f"{repository}/.git/hooks/{hook.name}"))

    def _bucket(self) -> Iterator[tuple[str, bytes]]:
        store = self._sandbox.bucket
        for batch in obstore.list(store, self._sandbox.prefix):
            for one in batch:
                known = one["path"], one["e_tag"]
                if known not in self._known:
                    self._known[known] = bytes(obstore.get(store, one["path"]).bytes())
                yield one["path"], self._known[known]


def proven(key: str, content: bytes) -> Literal["dvc", "lfs"] | None:
    """Whose object it is, by its path; None if the bytes do not have the hash in its name."""
    folder, _, name = key.rpartition("/")
    if name == sha256(content):
        return "lfs"
    if folder[-2:] + name.removesuffix(".dir") == md5(content):
        return "dvc"
    return None


def _walk(root: Path, below: Path) -> Iterator[Path]:
    """Regular files that count, from a folder downwards; links are not followed."""
    try:
        entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        path = below / entry.name
        if entry.is_dir(follow_symlinks=False):
            own = entry.name in TOOLS_OWN or entry.name == ".git" or below.name == ".dvc"
            is_bare = (Path(entry.path) / "HEAD").is_file()
            if not (own or is_bare or os.fspath(path) in NOT_COUNTED):
                yield from _walk(root, path)
        elif entry.is_file(follow_symlinks=False) and path.parts[-2:] != (".dvc", "config.local"):
            yield path


def _blobs(git_dir: Path) -> Iterator[bytes]:
    """Blobs that a reference, the reflog or an index reaches."""
    git = ["git", f"--git-dir={git_dir}"]
    reached = subprocess.run(
        [*git, *REACHED],
        capture_output=True,
        check=True,
    ).stdout
    text = subprocess.run(
        [*git, "cat-file", "--batch"], input=reached, capture_output=True, check=True
    ).stdout
    at = 0
    while at < len(text):
        end = text.index(b"\n", at)
        words = text[at:end].split()
        if words[-1] == b"missing":
            at = end + 1
            continue
        size = int(words[2])
        if words[1] == b"blob":
            yield text[end + 1 : end + 1 + size]
        at = end + 2 + size
