"""Contents: read in threads, hashed, and noted."""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.base.errors import MissingObjectError, TransferError
from dvc_bucket.base.progress import bar
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.connection.weather import WrongBytesError
from dvc_bucket.dvc.audit.findings import ObjectFault
from dvc_bucket.dvc.audit.notes import Notes, note
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.arrays import Ids
from dvc_bucket.dvc.remote.connection import Remote
from dvc_bucket.transfer import ranges
from dvc_bucket.transfer.errors import fault_of, naming_failures

#: Requests at once, each in a thread: with obstore faster than coroutines.
THREADS = 16

#: Objects that wait for a thread, at most.
MAX_WAITING_OBJECTS = 1000

#: Bytes held of each object at a time.
PIECE = 1024 * 1024


def check_unnoted(
    notes: Notes,
    names: "Ids | Sequence[bytes]",
    marks: NDArray[np.uint64],
    sizes: NDArray[np.int64],
    check: Callable[[bytes], ObjectFault | None],
    key_mark: Callable[[bytes], int],
) -> tuple[dict[bytes, ObjectFault], int]:
    """Check the contents of objects, except noted versions; return faults and how many were read.

    What is right is noted at once, so that the next run continues one that was stopped.

    Args:
        notes: of former checks.
        names: of the objects.
        marks: of their versions, in the same order.
        sizes: in bytes, in the same order.
        check: reads an object and finds what is wrong.
        key_mark: the mark of an object's key.
    """
    faults: dict[bytes, ObjectFault] = {}
    done, unnoted = 0, np.flatnonzero(~np.isin(marks, notes.read()))
    total = int(sizes[unnoted].sum())
    with notes.appending() as file, bar() as progress, _threads() as pool, interruptible():
        for at, fault in _checked(pool, unnoted.tolist(), lambda at: check(bytes(names[at]))):
            name = bytes(names[at])
            if fault:
                faults[name] = fault
            else:
                note(file, int(marks[at]), key_mark(name))
            done += int(sizes[at])
            progress(done, total)
    return faults, len(unnoted)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that begin nothing more once the block fails."""
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            yield pool
        except BaseException:  # Ctrl-C too: no more requests
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _checked(
    pool: ThreadPoolExecutor,
    positions: Sequence[int],
    check: Callable[[int], ObjectFault | None],
) -> Iterator[tuple[int, ObjectFault | None]]:
    """Check objects in the threads of a pool; each comes when it is done."""
    for start in range(0, len(positions), MAX_WAITING_OBJECTS):
        chosen = positions[start : start + MAX_WAITING_OBJECTS]
        running = {pool.submit(check, position): position for position in chosen}
        for done in as_completed(running):
            yield running[done], done.result()


def content_fault(remote: Remote, name: bytes) -> ObjectFault | None:
    """What is wrong with the content of an object on a remote.

    Raises:
        TransferError: nothing can be read from the store, not only this.
    """
    key = remote.key(name)
    try:
        with naming_failures(f"read {key}", remote.settings):
            for attempt in remote.store.attempts(is_inner=True):
                with attempt:
                    digest = object_hash(remote, key, name)
                    if digest != ids.digest(name):
                        raise WrongBytesError  # noqa: TRY301 (an attempt is over)
    except WrongBytesError:
        label = "SHA-256" if ids.is_lfs(name) else "MD5"
        return ObjectFault("corrupt", f"its content has the {label} {digest}")
    except MissingObjectError:
        return ObjectFault("missing", "it was listed, but gone when it was read")
    except TransferError as error:
        remote.check()
        fault = fault_of(error.__cause__ or error)
        return ObjectFault("not checked", f"the store does not return it: {fault or error}")
    return None


def object_hash(remote: Remote, key: str, name: bytes) -> str:
    """The hash of an object, in the way of its name, hexadecimal; it is read in pieces."""
    if ids.is_text(name):
        source = SimpleNamespace(read=ranges.Whole(remote.store, key).read_on)
        return ids.hash_of(cast(io.BufferedIOBase, source), name)
    digest = hashlib.sha256() if ids.is_lfs(name) else hashlib.md5(usedforsecurity=False)
    for piece in remote.store.stream(key, PIECE):
        digest.update(piece)
    return digest.hexdigest()
