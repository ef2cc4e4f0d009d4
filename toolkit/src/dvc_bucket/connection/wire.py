"""One HTTP request to the store and its answer as it came, so that the checks can read it.

botocore signs it. botocore does not send it, as that would parse the answer.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
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
    request = AWSRequest("GET", f"{clients.endpoint(settings)}/")
    if query is not None:
        url = clients.bucket_url(settings)
        # Written out, as it is signed: a store may read a `+` as no space.
        words = urlencode(query, quote_via=quote)
        request.url = f"{url}{'' if urlsplit(url).path else '/'}?{words}"
        if not settings.anonymous:
            keys, region = clients.credentials(settings), clients.region(settings)
            S3SigV4Auth(keys, "s3", region).add_auth(request)
    sent = request.prepare()
    try:
        response = _pool(settings).urlopen(
            "GET",
            sent.url,
            headers=dict(sent.headers),
            redirect=False,
            retries=retries,
            preload_content=False,
        )
        body = response.read(body_bytes, decode_content=True)
    except HTTPError as error:
        return Answer(error=_first_cause(error))
    response.release_conn()
    headers = {name.lower(): value for name, value in response.headers.items()}
    history = response.retries.history if response.retries else ()
    before = [past.status for past in history if past.status]
    text = body.decode("utf-8", errors="replace")
    return Answer(response.status, headers, text, before=before)


def timeouts(settings: Settings) -> tuple[float, float]:
    """Seconds to wait for a connection and for an answer: as the settings say, or less."""
    return (
        min(CONNECT_SECONDS, settings.connect_timeout),
        min(READ_SECONDS, settings.read_timeout),
    )


def _pool(settings: Settings) -> urllib3.PoolManager:
    connect, read = timeouts(settings)
    timeout = urllib3.Timeout(connect=connect, read=read)
    trusted = clients.authorities(settings)
    via = clients.proxy(settings)
    if not via:
        return urllib3.PoolManager(timeout=timeout, ca_certs=trusted)
    headers = ProxyConfiguration().proxy_headers_for(via)
    return urllib3.ProxyManager(via, timeout=timeout, ca_certs=trusted, proxy_headers=headers)


def _first_cause(error: BaseException) -> BaseException:
    """The exception behind those that urllib3 wraps around it."""
    while not isinstance(error, ssl.SSLError) and (inner := error.__cause__ or error.__context__):
        error = inner
    return error
