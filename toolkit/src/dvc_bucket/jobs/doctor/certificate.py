"""TLS and HTTP: is the server the one that the URL names, does it answer, and what is its time."""

import email.utils
import ssl
import time
from datetime import UTC, datetime
from typing import Any

from dvc_bucket.connection import clients, wire
from dvc_bucket.connection.settings import Settings, is_readable_on_the_way
from dvc_bucket.jobs.doctor.check import Check, Problem, Warn
from dvc_bucket.jobs.doctor.network import ListenerOurs, connect, written
from dvc_bucket.jobs.doctor.patient import Patient

#: A certificate's own faults by OpenSSL's number, each with its fix. Source:
#: openssl-verification-options(1), X509_V_ERR_* in x509_vfy.h.
FAULTS = {
    9: (
        "the certificate is not valid yet",
        "Check this machine's clock. If it is right, inform the store's operator.",
    ),
    10: ("the certificate has expired", "Ask the store's operator to renew it."),
    18: (
        "the certificate is self-signed",
        "Ask the operator for it as a PEM file, then run `bucket init --cacert FILE`.",
    ),
}

#: Seconds that our clock may differ: S3 refuses a signature 15 minutes off. Source: Amazon S3 API
#: Reference, error RequestTimeTooSkewed. One minute is a sign that nothing keeps the clock.
SKEW_REFUSED = 15 * 60
SKEW_ODD = 60

USE_HTTPS = "Write https:// in OS_ENDPOINT_URL (and in .dvc/config: `bucket init` does both)."

#: The numbers of a certificate that is for another host, or for another IP address.
OTHER_NAME = {62, 64}


class CertificateTrusted(Check):
    """A client that does not trust the certificate refuses every request."""

    name = "certificate (TLS)"
    fix = (
        "Ask the store's operator for the certificate authority as a PEM file, then run `bucket "
        "init --cacert FILE`."
    )
    requires = (ListenerOurs,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Shake hands as DVC would, with the authorities that DVC trusts."""
        settings = patient.settings
        if is_readable_on_the_way(settings.endpoint_url):
            raise Warn(
                "none (plain http): everybody on the network path can read and change the data, "
                "and read a session token",
                "Ask whether the store supports TLS, and write https:// in OS_ENDPOINT_URL "
                "(`bucket init`).",
            )
        if settings.endpoint_url.startswith("http://"):
            return "none: plain http on this machine"
        error, where = patient.front_door.error, written(settings.host, settings.port)
        if isinstance(error, ssl.SSLCertVerificationError):
            raise _certificate_problem(error.verify_code, settings)
        if isinstance(error, ssl.SSLError):
            raise Problem(
                f"{where} does not speak TLS",
                "If the store has no TLS, write http:// in OS_ENDPOINT_URL (`bucket init` does it "
                "in every file); otherwise correct the port.",
            )
        _, is_refused, status = str(error).partition("Tunnel connection failed: ")
        if is_refused:
            raise Problem(
                f"the proxy refuses the connection ({status[:60].strip()})",
                "Ask for the right proxy settings, or add the store's host to no_proxy.",
            )
        if error and not _speaks_tls(settings):
            raise Problem(
                f"{where} accepts the connection, but the TLS handshake fails",
                "Ask whether the store is running and whether a firewall inspects connections.",
            )
        return f"valid for {settings.host}"


class StoreAnswers(Check):
    """S3 is spoken over HTTP."""

    name = "answer (HTTP)"
    fix = "Correct OS_ENDPOINT_URL: a different kind of server listens on that port."
    requires = (CertificateTrusted,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Ask for the front door, unsigned."""
        settings, answer = patient.settings, patient.front_door
        is_plain = settings.endpoint_url.startswith("http://")
        if answer.error:
            if is_plain and clients.proxy(settings) is None and _speaks_tls(settings):
                raise Problem("the server speaks TLS, not plain http", USE_HTTPS)
            if isinstance(answer.error, TimeoutError):
                raise Problem(
                    f"connected, but no answer within {wire.timeouts(settings)[1]:.0f} s",
                    "Try again later. Ask whether the store is overloaded or a firewall inspects "
                    "connections.",
                )
            raise Problem(f"no HTTP answer ({type(answer.error).__name__})")
        wants_tls = answer.headers.get("location", "").startswith("https://")
        if is_plain and (wants_tls or "to https port" in answer.text.lower()):
            raise Problem("the server requires https", USE_HTTPS)
        return f"status {answer.status} from {answer.headers.get('server', 'an unnamed server')}"


class ClockAgrees(Check):
    """A signature holds for 15 minutes: with a clock that is off, every request is refused."""

    name = "clock"
    fix = "Set this machine's clock (`timedatectl set-ntp true`), or ask its administrator."
    requires = (StoreAnswers,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Compare with the `Date` of the answer."""
        is_refused = patient.listing.code in {"RequestTimeTooSkewed", "RequestExpired"}
        stated = _stated_time(patient.front_door)
        if stated is None and is_refused:
            raise Problem("the store refuses the time of this clock and does not send its own")
        if stated is None:
            return "the server sends no time"
        skew = time.time() - stated.timestamp()
        direction = "ahead of" if skew > 0 else "behind"
        text = f"this clock is {_duration(abs(skew))} {direction} the store's"
        if abs(skew) > SKEW_REFUSED or is_refused:
            raise Problem(text)
        if abs(skew) > SKEW_ODD:
            raise Warn(text)
        return f"within {max(1, abs(round(skew)))} s of the store's"


def _speaks_tls(settings: Settings) -> bool:
    """Whether the server shakes hands as a TLS server does, whatever its certificate.

    Behind a proxy it cannot be asked, and is believed.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return clients.proxy(settings) is not None or _certificate(context, settings) is not None


def _certificate(context: ssl.SSLContext, settings: Settings) -> dict[str, Any] | None:
    """The certificate that the server shows; None if there is no handshake."""
    try:
        with (
            connect(settings) as plain,
            context.wrap_socket(plain, server_hostname=settings.host) as encrypted,
        ):
            return encrypted.getpeercert() or {}
    except OSError:
        return None


def _certificate_problem(code: int, settings: Settings) -> Problem:
    """A certificate's fault as a sentence, with the fix that belongs to it."""
    if code in FAULTS:
        return Problem(*FAULTS[code])
    is_direct = clients.proxy(settings) is None
    if code in OTHER_NAME:
        names = _names(settings) if is_direct else ""
        return Problem(
            f"the certificate is for {names or 'another name'}, not for {settings.host}",
            "Write the name that the certificate has in OS_ENDPOINT_URL.",
        )
    # Nobody vouches for it: does the machine know more, or is the file a wrong one?
    file, system = settings.ca_bundle, ssl.get_default_verify_paths().cafile
    if system and system != file and is_direct and _knows(system, settings):
        return Problem(
            "this machine knows the certificate's authority, but DVC does not",
            f"`bucket init --cacert {system}`",
        )
    if file:
        return Problem(
            f"the file of OS_CACERT, {file}, does not contain the authority that signed the "
            "certificate",
            "Ask the store's operator for the right PEM file.",
        )
    return Problem("this machine does not know the certificate's authority")


def _names(settings: Settings) -> str:
    """The names that the server's certificate is for, if it is valid in every other way."""
    context = ssl.create_default_context(cafile=clients.authorities(settings))
    context.check_hostname = False
    names = (_certificate(context, settings) or {}).get("subjectAltName", ())
    return ", ".join(str(name) for _, name in names)[:200]


def _knows(authorities: str, settings: Settings) -> bool:
    """Whether a handshake succeeds with the authorities of a PEM file."""
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError:
        return False
    return _certificate(context, settings) is not None


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
