"""HTTP: is there an answer, and what time does its sender have."""

import email.utils
import time
from datetime import UTC, datetime

from dvc_bucket.connection import clients, wire
from dvc_bucket.jobs.doctor.certificate import CertificateTrusted, speaks_tls
from dvc_bucket.jobs.doctor.check import Check, Problem, Warn
from dvc_bucket.jobs.doctor.patient import Patient

#: Seconds that our clock may differ: S3 refuses a signature 15 minutes off. Source: Amazon S3 API
#: Reference, error RequestTimeTooSkewed. One minute is a sign that nothing keeps the clock.
SKEW_REFUSED = 15 * 60
SKEW_ODD = 60

USE_HTTPS = "Write https:// in OS_ENDPOINT_URL (and in .dvc/config: `bucket init` does both)."


class Answers(Check):
    """S3 is spoken over HTTP."""

    name = "answer (HTTP)"
    fix = "Correct OS_ENDPOINT_URL: another kind of server listens at that port."
    requires = (CertificateTrusted,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask for the front door, unsigned."""
        settings, answer = patient.settings, patient.front_door
        is_plain = settings.endpoint_url.startswith("http://")
        if answer.error:
            if is_plain and clients.proxy(settings) is None and speaks_tls(settings):
                raise Problem("the server speaks TLS, not plain http", USE_HTTPS)
            if isinstance(answer.error, TimeoutError):
                raise Problem(
                    f"connected, but no answer within {wire.timeouts(settings)[1]:.0f} s",
                    "Try again later; ask whether the store is overloaded or a firewall inspects.",
                )
            raise Problem(f"no HTTP answer ({type(answer.error).__name__})")
        wants_tls = answer.headers.get("location", "").startswith("https://")
        if is_plain and (wants_tls or "to https port" in answer.text.lower()):
            raise Problem("the server wants https", USE_HTTPS)
        return f"status {answer.status} from {answer.headers.get('server', 'an unnamed server')}"


class ClockAgrees(Check):
    """A signature holds for 15 minutes: with a clock that is off, every request is refused."""

    name = "clock"
    fix = "Set this machine's clock (`timedatectl set-ntp true`), or ask its administrator."
    requires = (Answers,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare with the `Date` of the answer."""
        is_refused = patient.listing.code in {"RequestTimeTooSkewed", "RequestExpired"}
        stated = _stated_time(patient.front_door)
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


def _stated_time(answer: wire.Answer) -> datetime | None:
    """The time that the sender of an answer has; None where it tells none."""
    try:
        stated = email.utils.parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)


def _duration(seconds: float) -> str:
    """Seconds as a person says them."""
    for unit, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"
