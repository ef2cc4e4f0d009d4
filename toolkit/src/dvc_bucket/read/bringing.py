"""Downloads of `bucket cp`: missing or different files are fetched, and other files are kept."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dvc_bucket.base.errors import BucketError, MissingObjectError, OutputError, SpaceError
from dvc_bucket.base.files import readable_size
from dvc_bucket.base.progress import Progress
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.dvc.remote import ids
from dvc_bucket.read import copied_record
from dvc_bucket.transfer.download import OTHER_MODE, Download
from dvc_bucket.transfer.files import Unfinished
from dvc_bucket.transfer.pool import Pool

#: Threads that compare files that are there already.
HASHING = 4


@dataclass(frozen=True)
class Item:
    """A file that is to be there.

    Attributes:
        place: its object.
        target: the file.
        size: in bytes; of a file in a directory, of which DVC notes only the whole, the mean.
        written: when the object was, in seconds since 1970; None where its name tells the content.
        missing: what to raise if there is no such object.
        name: of the object, where DVC names it.
    """

    place: ObjectRef
    target: Path
    size: int
    written: float | None = None
    missing: Callable[[], BucketError] | None = None
    name: bytes | None = None

    @property
    def mark(self) -> str:
        """What the content is known by; empty where nothing is known of it."""
        if self.written is not None:
            return f"{copied_record.TIME}:{self.size}@{int(self.written)}"
        if self.name:
            kind = copied_record.LEGACY if ids.is_legacy(self.name) else copied_record.MD5
            return f"{kind}:{ids.md5(self.name)}"
        return ""

    def is_there(self) -> bool:
        """Whether the file is what the object is.

        By its MD5 where the object's name is that, else by size and time, as `copy_to` leaves them.
        """
        return copied_record.has(self.target, self.mark)


@dataclass(frozen=True)
class Copied:
    """What was copied.

    Attributes:
        destination: the folder or file, or the `s3://` prefix or key.
        files: how many are to be there.
        copied: how many of them were not.
        size: bytes of those.
        left_out: keys that cannot be fetched, and would have to be there.
    """

    destination: Path | str
    files: int
    copied: int
    size: int
    left_out: Sequence[str] = ()


def bring(
    folder: Path,
    wanted: Sequence[Item],
    progress: Progress,
    *,
    force: bool | None = None,
    mode: int = OTHER_MODE,
) -> Copied:
    """Fetch what is missing or different, unless a file is in the way, and keep the record of it.

    Args:
        folder: that has the record.
        wanted: all files.
        progress: hears how far it is, in bytes.
        force: replace files that `copy_to` did not write; None for a folder that holds nothing of
            others, and needs no record.
        mode: permissions of the files.

    Raises:
        OutputError: a file with other content is there.
        SpaceError, TransferError, ChecksumError: as `copy_to`.
    """
    with ThreadPoolExecutor(HASHING) as threads:
        there = list(threads.map(Item.is_there, wanted))
    missing = [item for item, is_there in zip(wanted, there, strict=True) if not is_there]
    if force is not None:
        copied_record.check(folder, {item.target: item.mark for item in missing}, force=force)
    _make(folder)
    if force is not None:
        marks = {item.target: item.mark for item in wanted}
        copied_record.note(folder, marks, [item.target for item in missing])
    size = sum(item.size for item in missing)
    _check_room(folder, size)
    with Unfinished() as unfinished:
        unfinished.prepare([str(item.target) for item in missing])
        download = Download(unfinished, mode=mode)
        pool = Pool[Item](partial(_fetch, download), None, lambda: download.answer_seconds)
        pool.run(missing, lambda _: progress(download.received, size), _raise)
    return Copied(folder, len(wanted), len(missing), download.received)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpaceError(no_folder(folder, error)) from None


def no_folder(folder: Path, error: OSError) -> str:
    """Why a folder cannot be used."""
    return f"Could not create {folder}: {error.strerror}. Name another folder."


def _fetch(download: Download, item: Item) -> None:
    try:
        download(item.place, str(item.target), item.written)
    except MissingObjectError:
        if item.missing:
            raise item.missing() from None
        raise
    except (FileExistsError, IsADirectoryError, NotADirectoryError):
        raise OutputError(
            f"{item.target} cannot be written: a file is in the place of a folder, or a folder in "
            f"the place of a file. {copied_record.TO}"
        ) from None


def _raise(_: Item, error: BaseException) -> None:
    raise error


def _check_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise SpaceError(
            f"{folder} has {readable_size(free)} free, but the missing files need "
            f"{readable_size(size)}. Free some space, or name another folder."
        )
