"""HTTP: is there an answer, and what time does its sender have."""

import contextlib
import email.utils
import time
from datetime import UTC, datetime

import urllib3

from dvc_bucket.connection import clients, wire
from dvc_bucket.connection.settings import Settings
from dvc_bucket.jobs.doctor.certificate import CertificateTrusted, root_cause, speaks_tls
from dvc_bucket.jobs.doctor.check import Check, Problem, Warn
from dvc_bucket.jobs.doctor.patient import Patient

#: Seconds that our clock may differ: S3 refuses a signature 15 minutes off. Source: Amazon S3 API
#: Reference, error RequestTimeTooSkewed. One minute is a sign that nothing keeps the clock.
SKEW_REFUSED = 15 * 60
SKEW_ODD = 60


class Answers(Check):
    """There is an HTTP server."""

    name = "answer (HTTP)"
    why = "S3 is spoken over HTTP."
    fix = "Correct OS_ENDPOINT_URL: another kind of server listens at that port."
    needs = (CertificateTrusted,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask for the front door, unsigned."""
        settings = patient.settings
        try:
            answer = patient.front_door
        except urllib3.exceptions.HTTPError as error:
            if settings.endpoint_url.startswith("http://") and _hides_tls(settings):
                raise Problem("the server speaks TLS, not plain http", _use_https()) from None
            if isinstance(error, urllib3.exceptions.TimeoutError):
                raise Problem(
                    f"connected, but no answer within {wire.read_seconds(settings):.0f} s",
                    "Try again later; ask whether the store is overloaded or a firewall inspects.",
                ) from None
            raise Problem(f"no HTTP answer ({type(root_cause(error)).__name__})") from None
        location = answer.headers.get("location", "")
        if settings.endpoint_url.startswith("http://") and (
            location.startswith("https://") or "to https port" in answer.text.lower()
        ):
            raise Problem("the server wants https", _use_https())
        return f"status {answer.status} from {answer.headers.get('server', 'an unnamed server')}"


class ClockAgrees(Check):
    """Our clock and the store's."""

    name = "clock"
    why = "A signature holds for 15 minutes: with a clock that is off, every request is refused."
    fix = "Set this machine's clock (`timedatectl set-ntp true`), or ask its administrator."
    needs = (Answers,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare with the `Date` of the answer."""
        stated, code = _stated_time(patient.front_door), ""
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            code = patient.listing.code
        is_refused = code in {"RequestTimeTooSkewed", "RequestExpired"}
        if stated is None and is_refused:
            raise Problem("the store refuses the time of this clock, and does not tell its own")
        if stated is None:
            return "the server tells no time"
        skew = time.time() - stated.timestamp()
        direction = "ahead of" if skew > 0 else "behind"
        found = f"this clock is {_duration(abs(skew))} {direction} the store's"
        if abs(skew) > SKEW_REFUSED or is_refused:
            raise Problem(found)
        if abs(skew) > SKEW_ODD:
            raise Warn(found)
        return f"within {max(1, abs(round(skew)))} s of the store's"


ALL = (Answers, ClockAgrees)


def _stated_time(answer: wire.Answer) -> datetime | None:
    """The time that the sender of an answer has; None where it tells none."""
    try:
        stated = email.utils.parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def _hides_tls(settings: Settings) -> bool:
    """Whether the server of an http:// URL speaks TLS."""
    return clients.proxy(settings) is None and speaks_tls(settings)


def _use_https() -> str:
    return "Write https:// in OS_ENDPOINT_URL (and in .dvc/config: `bucket init` does both)."


def _duration(seconds: float) -> str:
    """Seconds as a person says them."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
