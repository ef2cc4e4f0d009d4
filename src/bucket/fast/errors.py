"""What goes wrong with the store, each as one sentence for a person; never a secret."""

import errno
import re

from bucket.errors import ChecksumError, TransferError

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
    """The bytes of an object are not those that its name promises."""


def explained(error: BaseException, what: str, where: str) -> BaseException:
    """The exception of a client as ours, with what was tried and where; others as they are.

    Args:
        error: what was raised.
        what: the rest of the sentence "Could not ...".
        where: store and bucket.
    """
    from obstore.exceptions import BaseError

    text = str(error)
    if NO_BUCKET in text:
        return StoreRefusedError(
            f"Could not {what}: there is no such bucket at {where}. `bucket doctor` says more."
        )
    if isinstance(error, FileNotFoundError):
        if error.filename:
            return error  # a local file, not an object
        return FileNotFoundError(
            errno.ENOENT, f"Could not {what}: no such object at {where}", what.split()[-1]
        )
    if not isinstance(error, BaseError):
        return error
    status = STATUS.search(text)
    if status and status[1] in REFUSED:
        return StoreRefusedError(
            f"Could not {what}: {where} refuses it with these credentials ({status[1]}). "
            "`bucket doctor` finds out why."
        )
    transport = TRANSPORT.search(text)
    reason = f"status {status[1]}" if status else transport[1] if transport else _first_line(text)
    return StoreUnavailableError(
        f"Could not {what}: {where} does not serve it ({reason}), tried several times. "
        "`bucket doctor` finds out why; run the command again to go on."
    )


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:200] if text.strip() else "no reason given"
