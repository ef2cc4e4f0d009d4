"""What goes wrong with the store or the disk, each as one sentence for a person; never a secret.

The client's exceptions become ours here, and nowhere else. `dvc.patched.errors` makes them DVC's
too, where DVC calls us.
"""

import errno
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import (
    BucketError,
    ChecksumError,
    DiskError,
    MissingObjectError,
    TransferError,
)
from dvc_bucket.connection import log
from dvc_bucket.connection.weather import CODE, STATUS

if TYPE_CHECKING:
    from dvc_bucket.connection.settings import Settings

#: What S3 answers where the bucket itself does not exist.
NO_BUCKET = "NoSuchBucket"

#: What of obstore's words is told beside the status: tries, and what the transport met with.
RETRIES = re.compile(r"after (\d+) retries")
TRANSPORT = re.compile(r"HTTP error: ([^\n]+)")
CAUSE = re.compile(r'\b(?:message|error): "([^"\\\n]{1,200})"')
CERTIFICATE = re.compile(r"\b(InvalidCertificate\(\s*\w+|HandshakeFailure|InvalidContentType)")

#: What of an S3 error is told beside its code. The rest of its XML is not for people.
REQUEST = re.compile(r"<RequestId>\s*([\w./+=:-]{1,128})\s*</RequestId>")

#: Statuses with which a store refuses credentials, or what they may do.
REFUSED = {"401", "403"}

#: What to do where a store refuses, by the code of its answer.
ADVICE = {
    "AccessDenied": (
        "These keys may lack the permission. If they may not list the bucket, the store gives the "
        "same answer for a missing object."
    ),
    "RequestTimeTooSkewed": "The clock of this machine is wrong.",
    "ExpiredToken": "OS_SESSION_TOKEN has expired: get a new one.",
}
NOT_PUBLIC = (
    "To use keys, set OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY, and unset OS_ANONYMOUS; for data "
    "of another project see docs/reading.md, Data of other projects. The owner of a bucket can "
    "make it public (docs/providers.md, Public data)."
)
CHECK_KEYS = "Check OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY in .env or the environment."

#: What a disk says that takes or gives no more data, whatever file is tried next.
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


class StoreError(TransferError):
    """The store as a whole fails: trying the next object would not help."""


class StoreUnavailableError(StoreError):
    """The store does not answer, or reports that it is unavailable."""


class StoreRefusedError(StoreError):
    """The store refuses these credentials, or the request made with them."""


class MissingBucketError(StoreRefusedError):
    """The store has no bucket of this name."""


class WrongContentError(ChecksumError):
    """The content of an object does not match its name.

    Args:
        message: for a person.
        found: the hash that they have, hexadecimal; empty if nobody asks for it.
    """

    def __init__(self, message: str, found: str = "") -> None:
        super().__init__(message)
        self.found = found


@dataclass(frozen=True)
class Fault:
    """What an exception of the client says of the store.

    Attributes:
        kind: `no bucket`, `no object`, `refused` or `unavailable`.
        status: of the answer, three digits; empty if there was none.
        code: of the S3 error, such as `SlowDown`; empty if the answer has none.
        reason: status, code and the store's name of the request, or what the transport met with.
    """

    kind: str
    status: str = ""
    code: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return self.reason


def fault_of(error: BaseException) -> Fault | None:
    """What an exception of the client says of the store; None if it says nothing of it."""
    from obstore import exceptions

    if isinstance(error, BucketError) or (isinstance(error, OSError) and error.filename):
        return None  # told already, or of a local file
    text = str(error)
    status, code = _found(STATUS, text), _found(CODE, text)
    fault = Fault("unavailable", status, code, _reason(text, status, code))
    if code == NO_BUCKET:
        return Fault("no bucket", status, code, fault.reason)
    if isinstance(error, FileNotFoundError | exceptions.NotFoundError):
        return Fault("no object", status, code, fault.reason)
    if not isinstance(error, exceptions.BaseError | ConnectionError | TimeoutError):
        return None
    refusals = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
    if isinstance(error, refusals) or status in REFUSED:
        return Fault("refused", status, code, fault.reason)
    return fault


def translated(error: BaseException, what: str, settings: "Settings") -> BaseException:
    """The exception of a client or of the disk as ours, with the fix; others as they are.

    Args:
        error: what was raised.
        what: the rest of the sentence "Could not ...".
        settings: the connection.
    """
    if isinstance(error, OSError) and error.errno in DISK:
        return disk_error(error, what)
    fault = fault_of(error)
    if fault is None:
        return error
    log.failed(error)
    if fault.kind == "no bucket":
        return MissingBucketError(
            f"Could not {what}: the bucket does not exist ({settings.where}). Check "
            "OS_BUCKET_NAME; `bucket doctor` says more."
        )
    if fault.kind == "no object":
        return MissingObjectError(
            f"Could not {what}: the object or bucket does not exist ({settings.where}). Check the "
            "name, or publish the data first."
        )
    if fault.kind == "refused":
        return refused(what, settings, fault.reason, fault.code)
    hint = (
        "Is the embedded store running? `make serve` starts it."
        if settings.is_embedded
        else "Check OS_ENDPOINT_URL and your network; `bucket doctor` finds the cause."
    )
    return StoreUnavailableError(
        f"Could not {what}: {settings.where} does not serve it ({fault.reason}). {hint} Run the "
        "command again to continue."
    )


def refused(what: str, settings: "Settings", reason: str = "", code: str = "") -> StoreRefusedError:
    """The store refuses what was tried.

    Args:
        what: the rest of the sentence "Could not ...".
        settings: the connection.
        reason: status, code and request, if known.
        code: of the S3 error.
    """
    shown = f" ({reason})" if reason else ""
    if settings.anonymous:
        return StoreRefusedError(
            f"Could not {what}: {settings.where} does not allow this without keys{shown}. "
            f"{NOT_PUBLIC}"
        )
    return StoreRefusedError(
        f"Could not {what}: {settings.where} refuses it with these credentials{shown}. "
        f"{ADVICE.get(code, CHECK_KEYS)} `bucket doctor` finds the cause."
    )


def disk_error(error: OSError, what: str) -> DiskError:
    """A disk that takes or gives no more data.

    Args:
        error: of the system.
        what: the rest of the sentence "Could not ...".
    """
    where = f" {error.filename}" if error.filename else ""
    return DiskError(
        f"Could not {what}: {error.strerror}{where}. No file was left half written. Free some "
        "space, or use another disk, and run the command again."
    )


@contextmanager
def raising(translate: Callable[[BaseException], BaseException]) -> Iterator[None]:
    """An exception leaves this block as what `translate` makes of it; or as it is."""
    try:
        yield
    except Exception as error:  # the edge to the client: what is not of the store goes on as it is
        new = translate(error)
        if new is error:
            raise
        raise new from error


def naming_failures(what: str, settings: "Settings") -> AbstractContextManager[None]:
    """Turn the client's exceptions into ours, as `translated` does.

    Raises:
        MissingObjectError: there is no such object.
        MissingBucketError: the bucket does not exist.
        StoreRefusedError: the store refused.
        StoreUnavailableError: the store could not be reached.
        DiskError: the disk is full or read-only, or fails.
    """
    return raising(lambda error: translated(error, what, settings))


def _reason(text: str, status: str, code: str) -> str:
    """What to tell of the client's words, in a clause."""
    request, retries = _found(REQUEST, text), _found(RETRIES, text)
    if status:
        parts = [" ".join(filter(None, (status, code)))]
    else:
        cause = _found(CERTIFICATE, text) or _found(CAUSE, text) or _found(TRANSPORT, text)
        parts = [" ".join(cause.split()) or _first_line(text)]
    if request:
        parts.append(f"request {request}")
    if retries:
        parts.append(f"after {retries} retries")
    return ", ".join(parts)


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _first_line(text: str) -> str:
    """The first line up to a document that the store sent."""
    return text.partition("<")[0].strip().partition("\n")[0][:200] or "no reason given"
