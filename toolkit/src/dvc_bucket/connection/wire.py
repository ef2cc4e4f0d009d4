"""HTTP requests to the store and their answers as they came, so that others can read them.

botocore signs it. botocore does not send it, as that would parse the answer.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import ProxyConfiguration
from urllib3.exceptions import HTTPError

from dvc_bucket.connection import clients
from dvc_bucket.connection.settings import Settings

#: Seconds at most to connect and to wait for an answer: a healthy store takes a fraction of one.
CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0

#: Bytes of an answer that are read: an error is a few hundred, a login page may be anything.
BODY_BYTES = 64 * 1024

#: Bytes of a body that are sent at a time.
BLOCK_BYTES = 64 * 1024

#: Words for what a transport meets with; none for what TLS refuses.
CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (ConnectionRefusedError, "ConnectionRefused"),
    (socket.gaierror, "dns error"),
    (TimeoutError, "TimedOut"),
    (ConnectionError, "ConnectionReset"),
    (ssl.SSLEOFError, "UnexpectedEof"),
    (http.client.IncompleteRead, "UnexpectedEof"),
    (ssl.SSLError, ""),
    (OSError, "kind: Connect"),
)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, or the reason why there is none.

    Attributes:
        status: HTTP status; 0 without an answer.
        headers: by lower-case name.
        text: the first bytes of the body, as text.
        error: the first cause of a failure: an SSLError, a TimeoutError, an OSError ...
        before: statuses of earlier tries of the request.
    """

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    error: BaseException | None = None
    before: Sequence[int] = ()

    @cached_property
    def _elements(self) -> list[tuple[str, str]]:
        """Name without its namespace, and text, of each element of an XML answer."""
        try:
            tree = ElementTree.fromstring(self.text)  # noqa: S314 (expat >= 2.6 bounds expansion)
        except ElementTree.ParseError:
            return []
        return [(element.tag.rpartition("}")[2], element.text or "") for element in tree.iter()]

    @property
    def root(self) -> str:
        """Name of the XML root element without its namespace; empty if the answer is not XML."""
        return self._elements[0][0] if self._elements else ""

    @property
    def is_html(self) -> bool:
        """Whether it is a page for a browser."""
        head = self.text.lstrip()[:200].lower()
        return head.startswith("<!doctype html") or "<html" in head

    @property
    def is_swift(self) -> bool:
        """Whether OpenStack Swift answers; its own headers are there where it speaks S3, too."""
        return bool({"x-trans-id", "x-openstack-request-id"} & set(self.headers))

    @property
    def code(self) -> str:
        """Code of an S3 error, such as `NoSuchBucket`; empty if it is none."""
        return self.element("Code") if self.root == "Error" else ""

    def element(self, name: str) -> str:
        """Text of the first element `name` of an XML answer; empty if there is none."""
        return next((text for tag, text in self._elements if tag == name), "")


class Signed:
    """Signed requests for a bucket, over connections that stay. For many threads.

    Args:
        settings: the connection.
        seconds: to wait for a connection, and for an answer.
        connections: that stay, at most.
        trusts_any: certificates are not checked.
        is_signed: False for requests of nobody; those of an anonymous connection never are.

    Raises:
        StrangerError: another user's program listens at the embedded endpoint.
        SettingsError: there are no credentials to sign with.
    """

    def __init__(
        self,
        settings: Settings,
        seconds: tuple[float, float],
        *,
        connections: int = 1,
        trusts_any: bool = False,
        is_signed: bool = True,
    ) -> None:
        self._url = clients.bucket_url(settings)
        more = {"cert_reqs": "CERT_NONE"} if trusts_any else {}
        self._pool = _pool(settings, seconds, maxsize=connections, blocksize=BLOCK_BYTES, **more)
        self._auth: S3SigV4Auth | None = None
        if is_signed and not settings.anonymous:
            keys, region = clients.credentials(settings), clients.region(settings)
            self._auth = S3SigV4Auth(keys, "s3", region)

    def ask(
        self,
        method: str,
        query: Mapping[str, str],
        key: str = "",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        retries: "urllib3.Retry | Literal[False]" = False,
        body_bytes: int = BODY_BYTES,
    ) -> Answer:
        """Send a request for an object, or for the bucket, and read the answer."""
        path = quote(key, safe="/-_.~")
        if path or not urlsplit(self._url).path:
            path = f"/{path}"
        # Written out, as it is signed: a store may read a `+` as no space.
        url = f"{self._url}{path}?{urlencode(query, quote_via=quote)}"
        request = AWSRequest(method, url, dict(headers or {}), body)
        if self._auth:
            self._auth.add_auth(request)
        return _exchange(self._pool, request, retries, body_bytes)


def get(
    settings: Settings,
    query: Mapping[str, str] | None = None,
    retries: "urllib3.Retry | Literal[False]" = False,
    body_bytes: int = BODY_BYTES,
) -> Answer:
    """Send `GET`: unsigned for the endpoint's root, or signed for the bucket with `query`.

    Args:
        settings: the connection; of an anonymous one no request is signed.
        query: of the signed request.
        retries: what is tried again; False for nothing.
        body_bytes: of the body that are read at most.

    Raises:
        StrangerError: another user's program listens at the embedded endpoint.
        SettingsError: there are no credentials to sign with.
    """
    if query is not None:
        return Signed(settings, timeouts(settings)).ask(
            "GET", query, retries=retries, body_bytes=body_bytes
        )
    request = AWSRequest("GET", f"{clients.endpoint(settings)}/")
    return _exchange(_pool(settings, timeouts(settings)), request, retries, body_bytes)


def _exchange(
    pool: urllib3.PoolManager,
    request: AWSRequest,
    retries: "urllib3.Retry | Literal[False]",
    body_bytes: int,
) -> Answer:
    sent = request.prepare()
    try:
        response = pool.urlopen(
            sent.method,
            sent.url,
            # Of a body in blocks the time to send it is that of each block.
            body=BytesIO(sent.body) if sent.body else None,
            headers=dict(sent.headers),
            redirect=False,
            retries=retries,
            preload_content=False,
        )
        answered = response.read(body_bytes, decode_content=True)
    except HTTPError as error:
        return Answer(error=_first_cause(error))
    response.release_conn()
    headers = {name.lower(): value for name, value in response.headers.items()}
    history = response.retries.history if response.retries else ()
    before = [past.status for past in history if past.status]
    text = answered.decode("utf-8", errors="replace")
    return Answer(response.status, headers, text, before=before)


def timeouts(settings: Settings) -> tuple[float, float]:
    """Seconds to wait for a connection and for an answer: as the settings say, or less."""
    return (
        min(CONNECT_SECONDS, settings.connect_timeout),
        min(READ_SECONDS, settings.read_timeout),
    )


def _pool(settings: Settings, seconds: tuple[float, float], **more: Any) -> urllib3.PoolManager:
    timeout = urllib3.Timeout(connect=seconds[0], read=seconds[1])
    trusted = clients.authorities(settings)
    via = clients.proxy(settings)
    if not via:
        return urllib3.PoolManager(timeout=timeout, ca_certs=trusted, **more)
    headers = ProxyConfiguration().proxy_headers_for(via)
    more |= {"timeout": timeout, "ca_certs": trusted, "proxy_headers": headers}
    return urllib3.ProxyManager(via, **more)


def transport_of(error: BaseException) -> str:
    """The cause of a failure in a word of obstore's, by which `weather` knows what heals."""
    return next((word for kind, word in CAUSES if isinstance(error, kind)), "") or str(error)


def _first_cause(error: BaseException) -> BaseException:
    """The exception behind those that urllib3 wraps around it."""
    while not isinstance(error, ssl.SSLError) and (inner := error.__cause__ or error.__context__):
        error = inner
    return error
