"""From a file to the embedded store. The file is somebody else's: nothing in it is trusted."""

import hashlib
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from dvc_bucket.base.errors import ChecksumError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.progress import Progress
from dvc_bucket.base.safe_paths import check
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.dvc import hashes
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.jobs import archive
from dvc_bucket.jobs.archive import ArchiveError, Moved
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.transfer.errors import naming_failures
from dvc_bucket.transfer.files import scratch_folder
from dvc_bucket.transfer.single import file_sha256, upload
from dvc_bucket.transfer.upload import Upload

#: A description is shorter than this; the first member of another file may be of any size.
MAX_DESCRIPTION_BYTES = 10_000

#: How a SHA-256 looks in the header of a member.
HEXADECIMAL = re.compile("[0-9a-f]{64}")

#: A member, ready to be put: its key, its copy, and the SHA-256 that goes with it.
Item = tuple[str, Path, str | None]

#: Members by the keys of their objects.
Members = dict[str, tarfile.TarInfo]


def load(project: Project, path: Path, progress: Progress) -> Moved:
    """Put the objects of a file into the embedded store; what is there already stays as it is.

    The lists of directories go last: DVC takes a directory whose list is there for complete.

    Raises:
        ArchiveError: the file is not one of `export`, for this project, and whole.
        UnsafePathError: it holds a name that is refused.
        ServerError: the settings name another store, or it does not start.
        ChecksumError: a member is damaged; or the store has other content under its key.
        TransferError: the store does not take it.
    """
    with _opened(path) as tar:
        about, members = _description(tar, path), _members(tar, path)
        if about["objects"] != len(members):
            raise ArchiveError(
                f"{path} contains {len(members):,} of the {about['objects']:,} objects in its "
                "description. Nothing was imported. Copy the file again."
            )
        remote = archive.started(project)
        if about["remote"] != remote.address:
            raise ArchiveError(
                f"{path} was exported from the remote {about['remote']}, but this project uses "
                f"{remote.address}. Nothing was imported. Import it in a clone of its project."
            )
        with scratch_folder(project.store) as spool:
            return _put_all(tar, members, _Put(remote, path), spool, progress)


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    """The file as a tar without compression; whatever cannot be read in it is one sentence."""
    try:
        with tarfile.open(path, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ArchiveError(
            f"{path} is not a file of `bucket serve --export`, or is incomplete "
            f"({type(error).__name__}). Copy it again."
        ) from None
    except OSError as error:
        if error.filename != str(path):
            raise
        raise ArchiveError(f"{path} cannot be read: {error.strerror}.") from None


def _description(tar: tarfile.TarFile, path: Path) -> dict[str, Any]:
    """The description of the file, which is its first member."""
    first = tar.next()
    content = None
    if first and first.name == archive.DESCRIPTION and first.size < MAX_DESCRIPTION_BYTES:
        content = tar.extractfile(first)
    description = json.loads(content.read()) if content else None
    if not isinstance(description, dict) or description.get("format") != archive.FORMAT:
        raise ArchiveError(
            f"{path} does not begin with {archive.DESCRIPTION} of format {archive.FORMAT}, so this "
            "version of `bucket serve --export` did not write it."
        )
    return {"remote": "", "objects": -1} | description


def _members(tar: tarfile.TarFile, path: Path) -> Members:
    """The members that are objects, each looked at before the first is imported.

    Raises:
        UnsafePathError: a name is refused.
        ArchiveError: a member is no object, or stands there twice.
    """
    members: Members = {}
    for member in tar.getmembers()[1:]:
        key = member.name.removeprefix(archive.FOLDER)
        check(key)
        sha256 = member.pax_headers.get(archive.SHA256)
        is_plain = member.isreg() and not member.issparse() and key != member.name
        if not is_plain or key in members or (sha256 and not HEXADECIMAL.fullmatch(sha256)):
            raise ArchiveError(
                f"{path} contains {member.name!r}, which is not an object or occurs twice. Nothing "
                "was imported."
            )
        members[key] = member
    return members


def _put_all(
    tar: tarfile.TarFile, members: Members, put: "_Put", spool: Path, progress: Progress
) -> Moved:
    """Put the files, then the lists. Content of the store that differs is kept, and named last."""
    lists = {key for key in members if (name := put.name(key)) and ids.is_list(name)}
    moved, total, done = Moved(), sum(member.size for member in members.values()), 0
    others: list[str] = []
    for keys in (members.keys() - lists, lists):
        items = (_extracted(tar, members[key], key, spool) for key in sorted(keys))
        for key, is_new in prefetch(put, items, threads=archive.AT_ONCE, count=archive.AT_ONCE):
            size = members[key].size
            progress(done := done + size, total)
            if is_new is None:
                others.append(key)
            moved.objects += is_new is True
            moved.size += size if is_new else 0
            moved.there += is_new is False
    if others:
        raise ChecksumError(
            f"For {len(others):,} keys, first {min(others)!r}, the content in the store differs "
            f"from {put.file} and was kept. Everything else was imported. `bucket verify --deep` "
            "checks the content in the store."
        )
    return moved


def _extracted(tar: tarfile.TarFile, member: tarfile.TarInfo, key: str, spool: Path) -> Item:
    """A copy of a member. Its name is ours, not the file's."""
    content = tar.extractfile(member)
    copy = spool / hashlib.sha256(key.encode()).hexdigest()
    with copy.open("xb") as file:
        if content:
            shutil.copyfileobj(content, file)
    if copy.stat().st_size != member.size:
        raise EOFError
    return key, copy, member.pax_headers.get(archive.SHA256)


class _Put:
    """Puts objects into the store, unless they are there.

    Args:
        remote: in the store.
        file: where they come from, for messages.
    """

    def __init__(self, remote: Remote, file: Path) -> None:
        self.file = file
        self._remote, self._there = remote, archive.listed(remote)
        self._upload = Upload()
        self.name = partial(archive.name_of, remote)

    def __call__(self, item: Item) -> tuple[str, bool | None]:
        """The key, and whether its object is new; None if the store has another one there."""
        key, copy, sha256 = item
        name = self.name(key)
        if not archive.is_intact(copy, name, sha256):
            raise ChecksumError(
                f"{self.file} is damaged: the content of {key!r} does not match its name. It was "
                "not imported. Copy the file again, and run the command again."
            )
        is_new: bool | None = key not in self._there
        if not is_new:
            is_new = False if self._is_same(key, copy) else None
        elif name:
            place = ObjectRef.of(self._remote.settings, key, self._remote.store)
            self._upload(place, str(copy))
        else:
            upload(copy, key, settings=self._remote.settings)
        copy.unlink()
        return key, is_new

    def _is_same(self, key: str, copy: Path) -> bool:
        """Whether the store's object has the content of a copy."""
        size, tag = self._there[key]
        if size != copy.stat().st_size:
            return False
        if tag == hashes.of_file(copy):
            return True
        digest = hashlib.sha256()
        with naming_failures(f"read {key}", self._remote.settings):
            for piece in self._remote.store.stream(key):
                digest.update(piece)
        return digest.hexdigest() == file_sha256(copy)
