"""From the embedded store to a file."""

import hashlib
import json
import os
import tarfile
from functools import partial
from io import BytesIO
from pathlib import Path

from dvc_bucket.base.errors import ChecksumError, MissingObjectError, OutputError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.progress import Progress
from dvc_bucket.base.safe_paths import check
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.jobs import archive
from dvc_bucket.jobs.archive import Moved
from dvc_bucket.read.prefetch import prefetch
from dvc_bucket.transfer.download import Download
from dvc_bucket.transfer.files import Unfinished, scratch_folder
from dvc_bucket.transfer.single import stored_sha256

#: Permissions of the file as far as the umask lets them, and of its members.
FILE_MODE, MEMBER_MODE = 0o666, 0o644


def export(project: Project, path: Path, progress: Progress) -> Moved:
    """Write all objects of the embedded store to a new file, each proven where its key is a hash.

    Raises:
        ServerError: the settings name another store, or it does not start.
        OutputError: the file exists, or cannot be written.
        ChecksumError: an object is damaged.
        TransferError: the store does not serve it.
    """
    path = path.absolute()
    _refuse_existing(path)
    remote = archive.started(project)
    sizes = {key: size for key, (size, _) in sorted(archive.listed(remote).items())}
    try:
        with Unfinished() as unfinished, scratch_folder(project.store) as spool:
            unfinished.prepare([str(path)])
            with unfinished.file(str(path), FILE_MODE) as descriptor:
                moved = _write(descriptor, remote, sizes, spool, progress)
                os.fsync(descriptor)
                _refuse_existing(path)
            return moved
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.") from None


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise OutputError(f"{path} exists already. Name another file, or move this one away.")


def _write(
    descriptor: int, remote: Remote, sizes: dict[str, int], spool: Path, progress: Progress
) -> Moved:
    """Write the file: its description, then the objects in the order of their keys."""
    total, moved = sum(sizes.values()), Moved()
    about = {"format": archive.FORMAT, "remote": remote.address, "objects": len(sizes)}
    text = json.dumps(about | {"bytes": total}).encode()
    with (
        open(descriptor, "wb", closefd=False) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
        Unfinished() as unfinished,
    ):
        tar.addfile(_member(archive.DESCRIPTION, len(text)), BytesIO(text))
        fetch = partial(_fetch, remote, spool, Download(unfinished))
        copies = prefetch(fetch, sizes, threads=archive.AT_ONCE, count=archive.AT_ONCE)
        for member, copy in copies:
            with copy.open("rb") as content:
                tar.addfile(member, content)
            copy.unlink()
            moved.objects += 1
            moved.size += member.size
            progress(moved.size, total)
    return moved


def _fetch(
    remote: Remote, spool: Path, download: Download, key: str
) -> tuple[tarfile.TarInfo, Path]:
    """Fetch an object; the member that it becomes, and its copy, which is proven."""
    check(key)
    name = archive.name_of(remote, key)
    sha256 = None if name else stored_sha256(key, settings=remote.settings)
    place = ObjectRef.of(remote.settings, key, remote.store)
    copy = spool / hashlib.sha256(key.encode()).hexdigest()
    try:
        download(place, str(copy))
    except MissingObjectError:
        raise MissingObjectError(
            f"{place.url} was removed while the store was exported. Run the command again."
        ) from None
    if not archive.is_intact(copy, name, sha256):
        what = ids.oid(name) if name else sha256
        raise ChecksumError(
            f"{place.url} is damaged: its content does not match {what}. Nothing was exported. "
            "`bucket verify --deep --repair` uploads it again if this clone has it."
        )
    member = _member(f"{archive.FOLDER}{key}", copy.stat().st_size)
    member.pax_headers = {archive.SHA256: sha256} if sha256 else {}
    return member, copy


def _member(name: str, size: int) -> tarfile.TarInfo:
    """A member without anything that is not content: no time, no owner."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, MEMBER_MODE
    return member
