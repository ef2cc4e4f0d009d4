"""Where the files of a path are: the workspace, DVC's cache, or the remote."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
from pyarrow import fs as filesystems

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import clients
from dvc_bucket.connection.settings import Settings
from dvc_bucket.read import content, tracked, versions
from dvc_bucket.read.content import Content
from dvc_bucket.read.proof import Proof, Proven
from dvc_bucket.read.table import Damaged, Fetch, Judge
from dvc_bucket.read.whole_files import WholeFiles, place

if TYPE_CHECKING:
    from obstore import ObjectMeta

#: Requests that are under way at a time: pyarrow's own 8 leave a store that is far away idle.
REQUESTS = 32

#: A plain file is read over the wire in pieces of this size.
PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Source:
    """Files in one place.

    Attributes:
        filesystem: where they are.
        files: path for a person, path for the file system, size in bytes or None.
        fetch: gets a file whole, by its path for the file system, where that is faster; else None.
        content: opens a recorded file by its path for the file system, as a stream that proves it;
            None for the workspace, whose files are read as they are.
        damaged: makes the error for a damaged recorded file.
        judge: hashes a recorded file in the cache, and raises if it is damaged.
    """

    filesystem: filesystems.FileSystem
    files: Sequence[tuple[str, str, int | None]]
    fetch: Fetch | None = None
    content: Callable[[str], Content] | None = None
    damaged: Damaged | None = None
    judge: Judge | None = None

    def open(self, place: str, piece_bytes: int = PIECE_BYTES) -> BinaryIO:
        """A file by its path for the file system, for reading bytes in pieces of a size."""
        if self.content:
            return io.BufferedReader(self.content(place), piece_bytes)
        return io.BufferedReader(self.filesystem.open_input_file(place), piece_bytes)


def locate(
    path: str | Path,
    rev: str | None = None,
    remote: str | None = None,
    repo: str | None = None,
    settings: Settings | None = None,
    proven: Proven | None = None,
) -> Source:
    """Where the files are that `open_dataset` of the same arguments reads."""
    here = _local(path) if rev is None and repo is None and not proven else None
    if here:
        return here
    return _recorded(Proof(tracked.find(path, rev, remote, repo, settings), full=proven == "full"))


def _local(path: str | Path) -> Source | None:
    """The files of the workspace, if they are there."""
    try:
        project = Project.find()
    except ProjectError:
        return None
    whole = project.root / tracked.inside(project, path)
    found = [whole] if whole.is_file() else sorted(whole.rglob("*")) if whole.is_dir() else []
    files = [file for file in found if file.is_file() and not file.name.startswith(".")]
    files = [file for file in files if file.suffix != ".dvc"]
    if not files:
        return None
    named = [file.relative_to(project.root).as_posix() for file in files]
    places = [(name, str(file), None) for name, file in zip(named, files, strict=True)]
    return Source(filesystems.LocalFileSystem(), places)


def _recorded(proof: Proof) -> Source:
    """The files as DVC recorded them: all from the cache, or all from the remote."""
    found = proof.found
    cached = {str(found.cached(file)): file for file in found.files}
    if not all(Path(path).is_file() for path in cached):
        return remote_source(proof)
    proof.check_cached()
    places = [(file.path, str(found.cached(file)), None) for file in found.files]
    return Source(
        filesystems.LocalFileSystem(),
        places,
        content=lambda place: content.cached(found, cached[place]),
        damaged=lambda place, what: versions.damaged(found, cached[place], what, Path(place)),
        judge=lambda place: proof.check_file(cached[place]),
    )


def remote_source(proof: Proof) -> Source:
    """The files on the remote.

    Raises:
        NotPushedError: one is not there.
        ChecksumError: one is not what DVC recorded.
        TransferError: the store refused or could not be reached.
    """
    found = proof.found
    whole = WholeFiles.of(proof)
    known: Mapping[str, ObjectMeta] = {} if whole else versions.look_up(found)
    if not whole:
        proof.check_all(known)
    pa.set_io_thread_count(max(REQUESTS, pa.io_thread_count()))
    places = {place(found, file): file for file in found.files}

    def open_content(place: str) -> Content:
        file = places[place]
        version = known.get(file.path) or versions.look_up(replace(found, files=[file]))[file.path]
        return content.on_remote(found, file, version)

    return Source(
        clients.pyarrow(found.remote.settings),
        [
            (file.path, place(found, file), known[file.path]["size"] if known else None)
            for file in found.files
        ],
        whole,
        open_content,
        lambda place, what: versions.damaged(found, places[place], what),
    )
