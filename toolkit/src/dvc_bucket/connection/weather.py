"""Which failures of a request heal by themselves, read from what obstore says of them."""

import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from dvc_bucket.base.errors import BucketError

if TYPE_CHECKING:
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.connection.wire import Answer

#: The status in obstore's words, and S3's code for it.
STATUS = re.compile(r"status code: (\d{3})")
CODE = re.compile(r"<Code>\s*([\w.-]{1,64})\s*</Code>")

#: Statuses that say "later", those of them that mean "too many", and that of a fault which may be
#: of one object alone, such as one that is damaged on the store's disk.
LATER = {"408", "425", "429", "502", "503", "504", "509"}
THROTTLE = {"429", "503", "509"}
BROKEN = "500"

#: What to call them.
PHRASES = {str(each.value): each.phrase for each in HTTPStatus}

#: Codes that say so where the status does not.
LATER_CODES = {"RequestTimeout", "SlowDown", "ServiceUnavailable", "Throttling", "TooManyRequests"}

#: What the Debug form of obstore's exceptions has (they have no attributes): a word of it, and what
#: to call that. Source: object_store, client/http/connection.rs `HttpErrorKind`; hyper; rustls.
TRANSPORT = (
    ("ConnectionRefused", "connection refused"),
    ("dns error", "unknown host"),
    ("TimedOut", "timeout"),
    ("kind: Timeout", "timeout"),
    ("ConnectionReset", "connection reset"),
    ("UnexpectedEof", "answer cut short"),
    ("IncompleteMessage", "connection reset"),
    ("kind: Body", "answer cut short"),
    ("kind: Decode", "answer cut short"),
    ("kind: Interrupted", "connection reset"),
    ("kind: Connect", "no connection"),
)

#: An answer that is no list of objects: cut short, or of something that is no store.
NO_LIST = "InvalidListResponse"

#: What never heals: rustls refuses a certificate or whatever is no TLS; a redirect leads to another
#: host, to which no client goes (see `clients.redirects`).
HOPELESS = ("InvalidData", "127.0.0.1:0,")

#: Seconds for what most likely does not heal; attempts at what may be of one object; and those at
#: an object after which it is, if the store answers other requests.
SHORT_SECONDS = 1.0
FEW_TRIES = 4
SAME_TRIES = 8

#: Attempts at an object with other bytes than its name promises.
WRONG_TRIES = 3
MANY = 1_000_000

#: Set in exceptions after which nobody is to try again.
FINAL = "_dvc_bucket_is_final"


class WrongBytesError(Exception):
    """The bytes that arrived are not those that were promised; asking again may help."""


class Fault(NamedTuple):
    """Why a request failed that is worth another attempt.

    Attributes:
        reason: for a person.
        seconds: after the first failure in which to try again.
        tries: attempts in all.
        is_throttle, is_overload: the store says that it is asked too much, or seems to be.
    """

    reason: str
    seconds: float
    tries: int = MANY
    is_throttle: bool = False
    is_overload: bool = False


def fault(error: BaseException, settings: "Settings", *, has_answered: bool) -> Fault | None:
    """What heals, perhaps; None for what does not.

    Args:
        error: of the request.
        settings: the connection.
        has_answered: the store has answered this process, so that its name is known.
    """
    from obstore.exceptions import BaseError

    seconds = float(settings.retry_seconds)
    if getattr(error, FINAL, False) or isinstance(error, BucketError):
        return None
    if isinstance(error, WrongBytesError):
        return Fault("bytes other than announced", seconds, WRONG_TRIES)
    if isinstance(error, ConnectionError | TimeoutError):  # of ours: an answer broke off
        return Fault("answer cut short", seconds)
    if not isinstance(error, BaseError):
        return None
    text = str(error)
    if status := STATUS.search(text):
        return _of_status(status[1], text, seconds)
    if NO_LIST in text:
        return Fault("answer cut short", seconds, FEW_TRIES)
    reason = next((reason for word, reason in TRANSPORT if word in text), "")
    if not reason or any(word in text for word in HOPELESS):
        return None
    is_short = (reason == "connection refused" and settings.is_embedded) or (
        reason == "unknown host" and not has_answered
    )
    is_overload = reason in {"connection refused", "timeout"}
    return Fault(
        reason, min(seconds, SHORT_SECONDS) if is_short else seconds, MANY, False, is_overload
    )


def _of_status(status: str, text: str, seconds: float) -> Fault | None:
    code = CODE.search(text)
    reason = f"{status} {PHRASES.get(status, '')}".rstrip()
    if status == BROKEN:
        return Fault(reason, seconds, FEW_TRIES)
    if status in LATER or (code and code[1] in LATER_CODES):
        return Fault(reason, seconds, MANY, status in THROTTLE, True)
    return None


def is_answer(error: BaseException) -> bool:
    """Whether a failure is the store's word."""
    return isinstance(error, FileNotFoundError) or STATUS.search(str(error)) is not None


def word_of(error: BaseException) -> str:
    """What a failure is, in a word or two: for the log."""
    text = str(error)
    if status := STATUS.search(text):
        return status[1]
    reasons = (reason for word, reason in TRANSPORT if word in text)
    return next(reasons, type(error).__name__)


def make_final(error: BaseException) -> None:
    """Have nobody try again after this failure."""
    setattr(error, FINAL, True)


def is_well(settings: "Settings") -> bool:
    """Whether the store answers another request."""
    answer = _answer(settings)
    return answer is not None and 0 < answer.status < HTTPStatus.INTERNAL_SERVER_ERROR


def wanted_rest(settings: "Settings") -> float:
    """The seconds that the store wants to be left alone, by the header that obstore does not show.

    One request asks for it.
    """
    from email.utils import parsedate_to_datetime

    answer = _answer(settings)
    header = answer.headers.get("retry-after", "").strip() if answer else ""
    if not header:
        return 0.0
    try:
        if header.isdigit():
            return float(header)
        return parsedate_to_datetime(header).timestamp() - time.time()
    except ValueError:
        return 0.0


def _answer(settings: "Settings") -> "Answer | None":
    """What the store says to the least that can be asked of it."""
    from dvc_bucket.connection import wire

    try:
        return wire.get(settings, {"list-type": "2", "max-keys": "0"})
    except BucketError:
        return None
