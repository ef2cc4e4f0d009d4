"""What a clone needs of DVC's objects, computed from git and the files alone."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dvc_bucket.git import lfs_layout as layout

#: The list of a directory's files.
LIST = ".dir"


def needed(root: Path, objects: Mapping[str, bytes], *, reflog: bool) -> frozenset[str]:
    """MD5s of the objects that a clone needs.

    Args:
        root: of the clone.
        objects: of DVC that exist, by MD5: the lists of directories are among them.
        reflog: whether commits count that only the reflog has.
    """
    found: set[str] = set()
    for text in _texts(root, reflog=reflog):
        for name in _outputs(text):
            found.add(name.removesuffix(LIST))
            if name.endswith(LIST):
                found |= _listed(objects.get(name.removesuffix(LIST), b"[]"))
    return frozenset(found)


def in_branches(root: Path) -> frozenset[str]:
    """SHA-256s of the objects of Git LFS that a branch, a tag or the checked out commit needs."""
    listed = _git(
        root, "rev-list", "--objects", "--no-object-names", "--branches", "--tags", "HEAD"
    )
    found = set()
    for oid in listed.decode().split():
        if int(_git(root, "cat-file", "-s", oid)) < layout.POINTER_BYTES:
            pointer = layout.Pointer.parse(_git(root, "cat-file", "-p", oid))
            found |= {pointer.oid} if pointer else set()
    return frozenset(found)


def _listed(text: bytes) -> set[str]:
    try:
        return {entry["md5"] for entry in json.loads(text)}
    except (ValueError, KeyError, TypeError):
        return set()


def _outputs(text: bytes) -> Iterator[str]:
    """Hashes of the outputs in a `.dvc` file or a `dvc.lock`."""
    try:
        read: Any = YAML(typ="safe").load(text)
    except (YAMLError, UnicodeDecodeError):
        return
    if not isinstance(read, dict):
        return
    stages = read.get("stages")
    for entry in stages.values() if isinstance(stages, dict) else [read]:
        for out in (entry.get("outs") or []) if isinstance(entry, dict) else []:
            if isinstance(out, dict) and isinstance(out.get("md5"), str):
                yield out["md5"]


def _texts(root: Path, *, reflog: bool) -> Iterator[bytes]:
    """All versions of the files in which DVC notes hashes."""
    for path in root.rglob("*"):
        if _is_dvcs(path.name) and path.is_file() and ".git" not in path.parts:
            yield path.read_bytes()
    found = {oid for oid, path in _entries(root, reflog=reflog) if _is_dvcs(path)}
    for oid in found:
        yield _git(root, "cat-file", "blob", oid)


def _entries(root: Path, *, reflog: bool) -> Iterator[tuple[str, str]]:
    """Hash and path of every file that git has in a commit, a stash or an index."""
    walk = ["rev-list", "--all", *(["--reflog"] if reflog else [])]
    commits = {*_git(root, *walk).split(), *_git(root, "stash", "list", "--format=%H %P").split()}
    for commit in commits:
        for line in _git(root, "ls-tree", "-r", "-z", commit.decode()).split(b"\0"):
            if line:
                words, _, path = line.partition(b"\t")
                yield words.split()[2].decode(), path.decode(errors="replace")
    for tree in _work_trees(root):
        for line in _git(tree, "ls-files", "-s", "-z").split(b"\0"):
            if line:
                words, _, path = line.partition(b"\t")
                yield words.split()[1].decode(), path.decode(errors="replace")


def _work_trees(root: Path) -> Iterator[Path]:
    for line in _git(root, "worktree", "list", "--porcelain").decode().splitlines():
        word, _, path = line.partition(" ")
        if word == "worktree" and Path(path).is_dir():
            yield Path(path)


def _is_dvcs(path: str) -> bool:
    return path.endswith(".dvc") or path.rpartition("/")[2] == "dvc.lock"


def _git(root: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, check=True).stdout
