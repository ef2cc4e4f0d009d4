"""TLS: does the server prove to be the one that the URL names."""

import ssl

import urllib3

from dvc_bucket.connection import clients
from dvc_bucket.connection.settings import Settings, is_readable_on_the_way
from dvc_bucket.jobs.doctor.check import Check, Problem, Warn
from dvc_bucket.jobs.doctor.network import ListenerOurs, connect, written
from dvc_bucket.jobs.doctor.patient import Patient

#: OpenSSL's numbers for a certificate's faults. Source: openssl-verification-options(1),
#: X509_V_ERR_* in x509_vfy.h.
NOT_YET_VALID, EXPIRED, SELF_SIGNED = 9, 10, 18
OTHER_NAME = {62, 64}  # of a host, of a number


class CertificateTrusted(Check):
    """The server proves to be the one that the URL names."""

    name = "certificate (TLS)"
    why = "A client that does not trust the certificate refuses every request."
    fix = (
        "Ask the store's operator for the certificate authority as a PEM file, and "
        "`bucket init --cacert FILE`."
    )
    needs = (ListenerOurs,)

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
        try:
            _ = patient.front_door
        except urllib3.exceptions.HTTPError as error:
            fault = root_cause(error)
            if isinstance(fault, ssl.SSLCertVerificationError):
                raise _certificate_problem(fault, settings) from None
            if isinstance(fault, ssl.SSLError):
                raise Problem(
                    f"{written(settings.host, settings.port)} does not speak TLS",
                    "If the store has no TLS, write http:// in OS_ENDPOINT_URL (`bucket init` "
                    "does, everywhere); else correct the port.",
                ) from None
            if "Tunnel connection failed" in str(fault):
                raise Problem(
                    f"the proxy does not let us through ({_tunnel_status(fault)})",
                    "Ask for the right proxy settings, or add the store's host to no_proxy.",
                ) from None
            if not speaks_tls(settings):
                raise Problem(
                    f"{written(settings.host, settings.port)} accepts the connection, and then "
                    "does not shake hands",
                    "Ask whether the store is up and whether a firewall inspects connections.",
                ) from None
        return f"valid for {settings.host}"


ALL = (CertificateTrusted,)


def root_cause(error: BaseException) -> BaseException:
    """The exception behind those that urllib3 wraps around it."""
    while inner := (getattr(error, "reason", None) or error.__cause__ or error.__context__):
        if not isinstance(inner, BaseException) or isinstance(error, ssl.SSLError):
            break
        error = inner
    return error


def speaks_tls(settings: Settings) -> bool:
    """Whether the server shakes hands as a TLS server does, whatever its certificate.

    Behind a proxy it cannot be asked, and is believed.
    """
    if clients.proxy(settings):
        return True
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return _shakes_hands(context, settings)


def _shakes_hands(context: ssl.SSLContext, settings: Settings) -> bool:
    try:
        with (
            connect(settings) as plain,
            context.wrap_socket(plain, server_hostname=settings.host),
        ):
            return True
    except OSError:
        return False


def _tunnel_status(fault: BaseException) -> str:
    """Status with which a proxy refuses, out of http.client's message."""
    return str(fault).partition("failed: ")[2][:60].strip()


def _certificate_problem(fault: ssl.SSLCertVerificationError, settings: Settings) -> Problem:
    """A certificate's fault as a sentence, with the fix that belongs to it."""
    if fault.verify_code == EXPIRED:
        return Problem(
            "the certificate has expired", "Tell the store's operator; it must be renewed."
        )
    if fault.verify_code == NOT_YET_VALID:
        return Problem(
            "the certificate is not valid yet",
            "Check this machine's clock; if it is right, tell the store's operator.",
        )
    if fault.verify_code in OTHER_NAME:
        names = _names(settings)
        return Problem(
            f"the certificate is for {names or 'another name'}, not for {settings.host}",
            "Write the name that the certificate has in OS_ENDPOINT_URL.",
        )
    if fault.verify_code == SELF_SIGNED:
        return Problem(
            "the certificate is self-signed",
            "Ask the operator for it as a PEM file, and `bucket init --cacert FILE`.",
        )
    return _unknown_authority(settings)


def _unknown_authority(settings: Settings) -> Problem:
    """Nobody vouches for the certificate: is it the machine that knows more, or a wrong file?"""
    file, system = settings.ca_bundle, ssl.get_default_verify_paths().cafile
    if system and system != file and not clients.proxy(settings) and _knows(system, settings):
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
    """The names that the server's certificate is for, where it is good but for those."""
    if clients.proxy(settings):
        return ""
    context = ssl.create_default_context(cafile=clients.authorities(settings))
    context.check_hostname = False
    try:
        with connect(settings) as plain, context.wrap_socket(plain) as encrypted:
            names = (encrypted.getpeercert() or {}).get("subjectAltName", ())
    except OSError:
        return ""
    return ", ".join(str(entry[1]) for entry in names)[:200]


def _knows(authorities: str, settings: Settings) -> bool:
    """Whether a handshake succeeds with the authorities of a PEM file."""
    try:
        context = ssl.create_default_context(cafile=authorities)
    except OSError:
        return False
    return _shakes_hands(context, settings)
