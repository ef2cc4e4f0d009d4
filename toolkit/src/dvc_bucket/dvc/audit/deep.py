"""Contents: read from the remote in parallel, streamed, hashed, and noted."""

import hashlib
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from functools import partial
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from dvc_bucket.base.errors import MissingObjectError, TransferError
from dvc_bucket.dvc.audit.compare import Survey
from dvc_bucket.dvc.audit.findings import Fault
from dvc_bucket.dvc.audit.needed import is_dos2unix, stream_md5
from dvc_bucket.dvc.audit.notes import Notes, key_mark, note, salt_of
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.place import Remote
from dvc_bucket.transfer.errors import naming_failures

#: Requests at once, each in a thread: with obstore faster than coroutines.
THREADS = 16

#: Bytes held of each object at a time.
PIECE = 1024 * 1024


def read(remote: Remote, survey: Survey, places: NDArray[np.intp], notes: Notes) -> int:
    """Hash the objects at `places` of the listing, but for those noted; return how many were read.

    What is wrong goes to `survey.faults`, what is right to the notes, at once: a run that is
    stopped is continued by the next.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    listing = survey.listing
    left = places[~np.isin(listing.marks[places], notes.read())]
    total = int(listing.sizes[left].sum())
    running: dict[Future[Fault | None], int] = {}
    with (
        notes.appending() as file,
        closing(bar(total)) as shown,
        ThreadPoolExecutor(THREADS) as pool,
    ):
        settle = partial(_settle, running, remote, survey, file, shown)
        try:
            for place in left:
                running[pool.submit(_read_one, remote, survey.name(place))] = int(place)
                if len(running) >= 4 * THREADS:
                    settle()
            while running:
                settle()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return len(left)


def _settle(
    running: dict[Future[Fault | None], int],
    remote: Remote,
    survey: Survey,
    file: IO[bytes],
    shown: "tqdm[Any]",
) -> None:
    """Wait until something was read, and write down what was."""
    for done in wait(running, return_when=FIRST_COMPLETED).done:
        place = running.pop(done)
        fault = done.result()
        if fault:
            survey.faults[survey.name(place)] = fault
        else:
            key = remote.key(survey.name(place))
            note(file, int(survey.listing.marks[place]), key_mark(salt_of(remote), key))
        shown.update(int(survey.listing.sizes[place]))


def _read_one(remote: Remote, name: bytes) -> Fault | None:
    """What is wrong with the content of an object.

    Raises:
        TransferError: nothing can be read from the store, not only this.
    """
    key = remote.key(name)
    return compare(remote, key, ids.md5(name), "MD5", lambda: object_md5(remote, key, name))


def compare(
    remote: Remote, key: str, promised: str, label: str, read: Callable[[], str]
) -> Fault | None:
    """What is wrong with the content of an object, whose hash `read` finds.

    Args:
        remote: that has it.
        key: of it in the bucket.
        promised: the hash that it is to have.
        label: what people call that.
        read: finds the hash that it has.

    Raises:
        TransferError: nothing can be read from the store, not only this.
    """
    try:
        with naming_failures(f"read {key}", remote.settings):
            found = read()
    except MissingObjectError:
        return Fault("missing", "listed, and not there when it was read")
    except TransferError as error:
        remote.check()
        cause = str(error.__cause__).strip() or str(error)
        return Fault("unreadable", f"the store does not give it: {cause.splitlines()[0][:200]}")
    if found == promised:
        return None
    return Fault("corrupt", f"its content has the {label} {found}")


def object_md5(remote: Remote, key: str, name: bytes) -> str:
    """The MD5 of an object, as its name has to have it, read in pieces."""
    import obstore

    if is_dos2unix(name):
        file = obstore.open_reader(remote.store, key, buffer_size=PIECE)
        return stream_md5(cast(BinaryIO, _Exact(file)), name)
    return streamed(remote, key, hashlib.md5(usedforsecurity=False))


def streamed(remote: Remote, key: str, digest: "hashlib._Hash") -> str:
    """The hash of an object, hexadecimal, read in pieces."""
    import obstore

    for piece in obstore.get(remote.store, key).stream(min_chunk_size=PIECE):
        digest.update(piece)
    return digest.hexdigest()


def bar(size: int) -> "tqdm[Any]":
    """Shows how much of `size` bytes was read; nothing where standard error is no terminal."""
    return tqdm(total=size, unit="B", unit_scale=True, desc="Reading", disable=None, leave=False)


class _Exact:
    """A reader of obstore as DVC's hash of text wants a file: `read` gives `bytes`."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        return bytes(self._file.read(size))
