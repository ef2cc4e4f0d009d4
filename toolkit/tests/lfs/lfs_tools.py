"""Clones whose large files are in Git LFS, with a prefix of their own, and their git repository."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dvc_bucket.base.files import write_private
from dvc_bucket.git import lfs_layout as layout
from tests.clones import TOOLS
from tests.stores.access import StoreAccess
from tests.verify.published import Published, empty

#: Of a test module that runs git-lfs.
needs_git_lfs = pytest.mark.skipif(
    shutil.which("git-lfs") is None, reason="git-lfs is not installed (Debian: apt install git-lfs)"
)

#: The folder whose files are in Git LFS.
TRACKED = "large"


def make_origin(root: Path, store: StoreAccess) -> Published:
    """A clone with one commit, set up for Git LFS, and `origin.git` beside it."""
    made = empty(root, store)
    made.git("init", "-q", "--bare", "-b", "main", "../origin.git")
    made.git("remote", "add", "origin", str(root.parent / "origin.git"))
    made.clone.run("bucket", "lfs", "setup")
    made.git("lfs", "track", f"{TRACKED}/**")
    made.commit("Large files are in Git LFS")
    return made


def settle(clone: Published) -> None:
    """What a person does in a new clone: the tools, the keys, the set-up."""
    (clone.root / ".venv").symlink_to(TOOLS.parent)
    lines = "".join(f"{name}={text}\n" for name, text in clone.store.env.items())
    write_private(clone.root / ".env", lines)
    clone.clone.run("bucket", "lfs", "setup")


def clone_of(origin: Published, root: Path) -> Published:
    """Another clone as docs/git-lfs.md says: nothing is fetched before the set-up."""
    made = Published(root, origin.store, origin.prefix)
    url = str(origin.root.parent / "origin.git")
    origin.clone.run("git", "clone", "-q", url, root, GIT_LFS_SKIP_SMUDGE="1")
    settle(made)
    return made


def add_files(clone: Published, sizes: dict[str, int]) -> dict[str, bytes]:
    """Commit files of these sizes below the tracked folder; their contents."""
    contents = {name: os.urandom(size) for name, size in sizes.items()}
    for name, content in contents.items():
        path = clone.root / TRACKED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    clone.commit("Files")
    return contents


def contents_of(clone: Published) -> dict[str, bytes]:
    """What is below the tracked folder."""
    folder = clone.root / TRACKED
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def key_of(content: bytes) -> str:
    """Path of a content's object below the prefix."""
    return layout.path(hashlib.sha256(content).hexdigest())


def run(clone: Published, *command: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    """A command that may fail."""
    return clone.clone.run(*command, check=False, **changes)


def leftovers(clone: Published) -> list[str]:
    """Our files among git-lfs's temporary ones."""
    folder = clone.root / ".git" / "lfs" / "tmp"
    return [path.name for path in folder.iterdir() if not path.name.isdecimal()]
