"""What goes wrong with the store, each as one sentence for a person; never a secret."""

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import BucketError, ChecksumError, MissingObjectError, TransferError

if TYPE_CHECKING:
    from dvc_bucket.connection.settings import Settings

#: What S3 answers where the bucket itself does not exist.
NO_BUCKET = "NoSuchBucket"

#: The status in obstore's words, and what it says the transport met with.
STATUS = re.compile(r"status code: (\d{3})")
TRANSPORT = re.compile(r"HTTP error: ([^\n]+)")

#: Statuses with which a store refuses credentials, or what they may do.
REFUSED = {"401", "403"}


class StoreError(TransferError):
    """The store as a whole does not serve us: trying the next object would not help."""


class StoreUnavailableError(StoreError):
    """It does not answer, or answers that it cannot."""


class StoreRefusedError(StoreError):
    """It refuses these credentials, or what was to be done with them."""


class WrongContentError(ChecksumError):
    """The bytes of an object are not those that its name promises.

    Args:
        message: for a person.
        found: the hash that they have, hexadecimal; empty if nobody asks for it.
    """

    def __init__(self, message: str, found: str = "") -> None:
        super().__init__(message)
        self.found = found


def fault_of(error: BaseException) -> tuple[str, str]:
    """What an exception of the client says of the store.

    Returns:
        What is wrong (`no bucket`, `no object`, `refused` or `unavailable`; empty for an exception
        that says nothing of the store), and the status of the answer or the first line of the
        exception; empty if it says nothing.
    """
    from obstore import exceptions

    if isinstance(error, BucketError) or (isinstance(error, OSError) and error.filename):
        return "", ""  # told already, or of a local file
    text = str(error)
    if NO_BUCKET in text:
        return "no bucket", ""
    if isinstance(error, FileNotFoundError | exceptions.NotFoundError):
        return "no object", ""
    if not isinstance(error, exceptions.BaseError):
        return "", ""
    status = STATUS.search(text)
    refusals = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
    if isinstance(error, refusals) or (status and status[1] in REFUSED):
        return "refused", status[1] if status else ""
    transport = TRANSPORT.search(text)
    reason = f"status {status[1]}" if status else transport[1] if transport else _first_line(text)
    return "unavailable", reason


def explained(error: BaseException, what: str, where: str) -> BaseException:
    """The exception of a client as ours, with what was tried and where; others as they are.

    A missing object is a FileNotFoundError, as DVC expects it of its file systems.

    Args:
        error: what was raised.
        what: the rest of the sentence "Could not ...".
        where: store and bucket.
    """
    kind, reason = fault_of(error)
    if kind == "no bucket":
        return StoreRefusedError(
            f"Could not {what}: there is no such bucket at {where}. `bucket doctor` says more."
        )
    if kind == "no object":
        return FileNotFoundError(
            errno.ENOENT, f"Could not {what}: no such object at {where}", what.split()[-1]
        )
    if kind == "refused":
        return refused(what, where, reason)
    if kind == "unavailable":
        return StoreUnavailableError(
            f"Could not {what}: {where} does not serve it ({reason}), tried several times. "
            "`bucket doctor` finds out why; run the command again to go on."
        )
    return error


def refused(what: str, where: str, status: str = "") -> StoreRefusedError:
    """The store refuses what was tried.

    Args:
        what: the rest of the sentence "Could not ...".
        where: store and bucket.
        status: of its answer, if known.
    """
    shown = f" ({status})" if status else ""
    return StoreRefusedError(
        f"Could not {what}: {where} refuses it with these credentials{shown}. "
        "`bucket doctor` finds out why."
    )


@contextmanager
def raising(translated: Callable[[BaseException], BaseException]) -> Iterator[None]:
    """An exception leaves this block as what `translated` makes of it; or as it is."""
    try:
        yield
    except Exception as error:
        new = translated(error)
        if new is error:
            raise
        raise new from error


def naming_failures(what: str, settings: "Settings") -> AbstractContextManager[None]:
    """Turn the client's exceptions into ours, as `named` does.

    Raises:
        MissingObjectError: there is no such object or bucket.
        StoreError: the store refused or could not be reached.
    """
    return raising(lambda error: named(error, what, settings))


def named(error: BaseException, what: str, settings: "Settings") -> BaseException:
    """The exception of a client as ours, with the fix for whoever set up the connection.

    Args:
        error: what was raised; if the store is not the cause, it is returned as it is.
        what: the rest of the sentence "Could not ...".
        settings: the connection.
    """
    kind, _ = fault_of(error)
    if kind in {"no bucket", "no object"}:
        return MissingObjectError(
            f"Could not {what}: there is no such object or bucket at {settings.where}. "
            "Check the name, or publish the data first."
        )
    if kind == "refused":
        return StoreRefusedError(
            f"Could not {what}: {settings.where} refused the credentials. "
            "Check OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY in .env or the environment."
        )
    if kind == "unavailable":
        hint = (
            "Is the embedded store up? `make serve` starts it."
            if settings.is_embedded
            else "Check OS_ENDPOINT_URL and your network; `bucket doctor` finds the cause."
        )
        return StoreUnavailableError(
            f"Could not {what} at {settings.where}: {_first_line(str(error))} {hint}"
        )
    return error


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200] if text.strip() else "no reason given"
