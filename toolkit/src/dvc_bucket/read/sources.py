"""Where the files of a path are: the workspace, DVC's cache, or the remote."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
from pyarrow import fs as filesystems

from dvc_bucket.base.paths import Project
from dvc_bucket.connection import clients
from dvc_bucket.connection.settings import Settings
from dvc_bucket.read import tracked, tree
from dvc_bucket.read.content import Content, fetch, has_ranges
from dvc_bucket.read.csv_lines import buffer
from dvc_bucket.read.proof import Proof, Proven
from dvc_bucket.read.tracked import TrackedData, TrackedFile
from dvc_bucket.transfer.errors import StoreUnavailableError

if TYPE_CHECKING:
    from obstore import ObjectMeta

#: Requests that are under way at a time: pyarrow's own 8 leave a store that is far away idle.
REQUESTS = 32

#: A plain file is read over the wire in pieces of this size.
PIECE_BYTES = 1024 * 1024

#: A file up to this size is worth fetching whole, with one request, ...
WHOLE_BYTES = 1024 * 1024

#: ... if there are so many that asking for the size of each costs more.
MIN_FILES = 16

#: Arrow's words for a page of a Parquet file whose bytes do not have the checksum beside them.
BROKEN_PAGE = "CRC checksum verification failed"


#: A file: path for a person, path for the file system, size in bytes or None.
Located = tuple[str, str, int | None]


@dataclass(frozen=True)
class Source:
    """Files in one place: those of the workspace, which are read as they are, or recorded ones.

    Attributes:
        filesystem: where they are.
        files: all of them.
        path: that was asked for, from the project's root.
        proof: of recorded files, which are all in the cache, or all on the remote; else None.
        by_place: the recorded files by their paths for the file system.
        is_cached: they are in the cache.
        is_whole: each is fetched whole and proven by its MD5: they are small, or the store sends no
            parts of objects.
        versions: of other objects on the remote, by path.
    """

    filesystem: filesystems.FileSystem
    files: Sequence[Located] = ()
    path: str = ""
    proof: Proof | None = None
    by_place: Mapping[str, TrackedFile] = field(default_factory=dict)
    is_cached: bool = False
    is_whole: bool = False
    versions: "Mapping[str, ObjectMeta]" = field(default_factory=dict)

    @property
    def data(self) -> TrackedData:
        """What DVC recorded of the files."""
        if self.proof is None:
            raise ValueError("these are files of the workspace")
        return self.proof.data

    def stream(self, place: str) -> Any:
        """A file by its path for the file system, as a stream; recorded bytes are proven."""
        if not self.proof:
            return self.filesystem.open_input_file(place)
        file = self.by_place[place]
        if self.is_cached:
            return Content(self.data, file)
        versions = self.versions or replace(self.data, files=[file]).versions()
        return Content(self.data, file, versions[file.path])

    def open(self, place: str, piece_bytes: int = PIECE_BYTES) -> BinaryIO:
        """A file by its path for the file system, for reading bytes in pieces of a size."""
        return io.BufferedReader(self.stream(place), piece_bytes)

    def fetch(self, place: str) -> pa.Buffer | None:
        """A file whole, by its path for the file system; None to read parts of it.

        Raises:
            NotPushedError: it is not on the remote.
            ChecksumError: the content is not what DVC recorded.
            TransferError: the store refused or could not be reached.
        """
        if not (self.is_whole and self.proof):
            return None
        content = fetch(self.proof, self.by_place[place], WHOLE_BYTES)
        return None if content is None else buffer(memoryview(content))

    @contextmanager
    def judged(self, places: Iterable[str]) -> Iterator[None]:
        """A block that reads these files.

        Raises:
            NotPushedError: Arrow cannot read one, as it is not on the remote any more.
            ChecksumError: nor can it read one that is damaged.
            TransferError: the store refused, or could not be reached.
        """
        try:
            yield
        except (OSError, pa.ArrowInvalid) as error:
            if self.proof and not is_broken_page(error):
                self._judge(self.proof, list(places), error)
            raise

    def _judge(self, proof: Proof, places: Sequence[str], error: Exception) -> None:
        """Raise why Arrow cannot read recorded files: our own client asks for them again."""
        is_of_store = not self.is_cached and isinstance(error, OSError)
        named = [place for place in places if place.partition("/")[2] in str(error)]
        for place in named or places:
            file = self.by_place[place]
            if self.is_cached:
                proof.check_cached(file)
            elif is_of_store or len(places) == 1:
                versions = replace(proof.data, files=[file]).versions()
                replace(proof, is_full=True).check(file, versions[file.path])
        if is_of_store:
            remote, said = proof.data.remote, str(error).partition("\n")[0]
            raise StoreUnavailableError(
                f"Could not read {self.path} from {remote.settings.where}, although the store has "
                f"it ({said}). Read it again."
            ) from error

    def broken_page(self, place: str, error: OSError) -> Exception:
        """What to raise where Arrow cannot read a file: ChecksumError for a damaged page."""
        if not (self.proof and is_broken_page(error)):
            return error
        what = "a page does not match the checksum in the file"
        return self.data.damaged(self.by_place[place], what, is_cached=self.is_cached)


def is_broken_page(error: Exception) -> bool:
    """Whether bytes of a page are not those of which its writer noted the checksum."""
    return BROKEN_PAGE in str(error)


def locate(
    path: str | Path,
    rev: str | None = None,
    remote: str | None = None,
    repo: str | None = None,
    settings: Settings | None = None,
    proven: Proven | None = None,
    start: Path | None = None,
) -> Source:
    """Where the files are that `open_dataset` of the same arguments reads.

    The project is the one around the folder `start`; None for the current folder.
    """
    is_workspace = rev is None and repo is None and not proven
    if is_workspace and (here := _local(path, start)):
        return here
    data = tree.Tree.at(rev, remote, repo, settings, start).data(path)
    return recorded(Proof(data, is_full=proven == "full"))


def _local(path: str | Path, start: Path | None) -> Source | None:
    """The files of the workspace, if they are there."""
    if not (project := Project.around(start)):
        return None
    asked = tracked.inside(project, path)
    whole = project.root / asked
    files = [
        (file.relative_to(project.root).as_posix(), str(file), None)
        for file in ([whole] if whole.is_file() else sorted(whole.rglob("*")))
        if file.is_file() and file.name != ".gitignore" and file.suffix != ".dvc"
    ]
    return Source(filesystems.LocalFileSystem(), files, asked) if files else None


def recorded(proof: Proof) -> Source:
    """The files as DVC recorded them: all from the cache, or all from the remote.

    Raises:
        BucketError: as `on_remote`.
    """
    data = proof.data
    places = {str(data.cached(file)): file for file in data.files}
    if not all(Path(place).is_file() for place in places):
        return on_remote(proof)
    proof.check_cache()
    files = [(file.path, str(data.cached(file)), None) for file in data.files]
    disk = filesystems.LocalFileSystem()
    return Source(disk, files, data.path, proof, places, is_cached=True)


def on_remote(proof: Proof) -> Source:
    """The files on the remote.

    Raises:
        NotPushedError: one is not there.
        ChecksumError: one is not what DVC recorded.
        TransferError: the store refused or could not be reached.
    """
    data = proof.data.in_one_bucket()
    proof = replace(proof, data=data)
    is_whole = _are_many_and_small(data)
    versions: Mapping[str, ObjectMeta] = {} if is_whole else data.versions()
    if not is_whole:
        proof.check_objects(versions)
        # Arrow believes that it gets the parts that it asks for.
        filled = next((file for file in data.files if versions[file.path]["size"]), None)
        is_whole = bool(filled and not has_ranges(data, filled))
    pa.set_io_thread_count(max(REQUESTS, pa.io_thread_count()))
    bucket = data.remote.settings.bucket_name
    places = [f"{bucket}/{data.key(file)}" for file in data.files]
    sizes = [versions[file.path]["size"] if versions else None for file in data.files]
    return Source(
        clients.pyarrow(data.remote.settings),
        list(zip((file.path for file in data.files), places, sizes, strict=True)),
        data.path,
        proof,
        dict(zip(places, data.files, strict=True)),
        is_whole=is_whole,
        versions=versions,
    )


def _are_many_and_small(data: TrackedData) -> bool:
    """Whether fetching each file whole is worth it, by the sizes that DVC recorded."""
    sizes = [file.expected_size for file in data.files]
    recorded_sizes = [size for size in sizes if size is not None]
    is_small = len(recorded_sizes) == len(sizes) and sum(recorded_sizes) <= WHOLE_BYTES * len(
        recorded_sizes
    )
    return len(sizes) >= MIN_FILES and is_small
