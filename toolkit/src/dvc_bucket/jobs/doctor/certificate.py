"""TLS: does the server prove to be the one that the URL names."""

import ssl
from typing import Any

from dvc_bucket.connection import clients
from dvc_bucket.connection.settings import Settings, is_readable_on_the_way
from dvc_bucket.jobs.doctor.check import Check, Problem, Warn
from dvc_bucket.jobs.doctor.network import ListenerOurs, connect, written
from dvc_bucket.jobs.doctor.patient import Patient

#: A certificate's own faults by OpenSSL's number, each with its fix. Source:
#: openssl-verification-options(1), X509_V_ERR_* in x509_vfy.h.
FAULTS = {
    9: (
        "the certificate is not valid yet",
        "Check this machine's clock; if it is right, tell the store's operator.",
    ),
    10: ("the certificate has expired", "Tell the store's operator; it must be renewed."),
    18: (
        "the certificate is self-signed",
        "Ask the operator for it as a PEM file, and `bucket init --cacert FILE`.",
    ),
}

#: The numbers of a certificate that is for another host, or for another IP address.
OTHER_NAME = {62, 64}


class CertificateTrusted(Check):
    """A client that does not trust the certificate refuses every request."""

    name = "certificate (TLS)"
    fix = (
        "Ask the store's operator for the certificate authority as a PEM file, and "
        "`bucket init --cacert FILE`."
    )
    requires = (ListenerOurs,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Shake hands as DVC would, with the authorities that DVC trusts."""
        settings = patient.settings
        if is_readable_on_the_way(settings.endpoint_url):
            raise Warn(
                "none: everybody on the way reads the data and a session token, and can change "
                "what you get (plain http)",
                "Ask whether the store speaks TLS, and write https:// in OS_ENDPOINT_URL "
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
                "If the store has no TLS, write http:// in OS_ENDPOINT_URL (`bucket init` "
                "does, everywhere); else correct the port.",
            )
        _, is_refused, status = str(error).partition("Tunnel connection failed: ")
        if is_refused:
            raise Problem(
                f"the proxy does not let us through ({status[:60].strip()})",
                "Ask for the right proxy settings, or add the store's host to no_proxy.",
            )
        if error and not speaks_tls(settings):
            raise Problem(
                f"{where} accepts the connection, and then does not shake hands",
                "Ask whether the store is up and whether a firewall inspects connections.",
            )
        return f"valid for {settings.host}"


def speaks_tls(settings: Settings) -> bool:
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
            "the certificate's authority is known to this machine, but not to DVC",
            f"`bucket init --cacert {system}`",
        )
    if file:
        return Problem(
            f"the file of OS_CACERT, {file}, is not of the authority that signed the certificate",
            "Ask the store's operator for the right PEM file.",
        )
    return Problem("the certificate's authority is not known to this machine")


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
