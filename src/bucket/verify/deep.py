"""Contents: read from the remote in parallel, streamed, hashed, and noted."""

import hashlib
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from bucket.errors import MissingObjectError, TransferError
from bucket.remote import ids
from bucket.remote.place import Remote
from bucket.transfer import naming_failures
from bucket.verify.compare import Survey
from bucket.verify.findings import Fault
from bucket.verify.needed import is_dos2unix, stream_md5
from bucket.verify.notes import Notes, note

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
    # Nothing is shown where standard error is no terminal.
    bar = tqdm(total=total, unit="B", unit_scale=True, desc="Reading", disable=None, leave=False)
    running: dict[Future[Fault | None], int] = {}
    with notes.appending() as file, closing(bar), ThreadPoolExecutor(THREADS) as pool:
        try:
            for place in left:
                running[pool.submit(_read_one, remote, survey.name(place))] = int(place)
                if len(running) >= 4 * THREADS:
                    _settle(running, survey, file, bar)
            while running:
                _settle(running, survey, file, bar)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return len(left)


def _settle(
    running: dict[Future[Fault | None], int], survey: Survey, file: IO[bytes], bar: "tqdm[Any]"
) -> None:
    """Wait until something was read, and write down what was."""
    for done in wait(running, return_when=FIRST_COMPLETED).done:
        place = running.pop(done)
        fault = done.result()
        if fault:
            survey.faults[survey.name(place)] = fault
        else:
            note(file, int(survey.listing.marks[place]))
        bar.update(int(survey.listing.sizes[place]))


def _read_one(remote: Remote, name: bytes) -> Fault | None:
    """What is wrong with the content of an object.

    Raises:
        TransferError: nothing can be read from the store, not only this.
    """
    key = remote.key(name)
    try:
        with naming_failures(f"read {key}", remote.settings):
            found = _md5(remote, key, name)
    except MissingObjectError:
        return Fault("missing", "listed, and not there when it was read")
    except TransferError as error:
        remote.check()
        cause = str(error.__cause__).strip() or str(error)
        return Fault("unreadable", f"the store does not give it: {cause.splitlines()[0][:200]}")
    if found == ids.md5(name):
        return None
    return Fault("corrupt", f"its content has the MD5 {found}")


def _md5(remote: Remote, key: str, name: bytes) -> str:
    import obstore

    if is_dos2unix(name):
        file = obstore.open_reader(remote.store, key, buffer_size=PIECE)
        return stream_md5(cast(BinaryIO, _Exact(file)), name)
    digest = hashlib.md5(usedforsecurity=False)
    for piece in obstore.get(remote.store, key).stream(min_chunk_size=PIECE):
        digest.update(piece)
    return digest.hexdigest()


class _Exact:
    """A reader of obstore as DVC's hash of text wants a file: `read` gives `bytes`."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        return bytes(self._file.read(size))
