"""One HTTP request to the store and its answer as it came, so that the checks can read it."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import unquote, urlencode, urlsplit
from xml.etree import ElementTree

import urllib3

from dvc_bucket.connection import clients
from dvc_bucket.connection.settings import Settings

#: Seconds at most to connect and to wait for an answer: a healthy store takes a fraction of one.
CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0

#: Bytes of an answer that are read: an error is a few hundred, a login page may be anything.
BODY_BYTES = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        headers: by lower-case name.
        body: its first bytes.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.body.decode("utf-8", errors="replace")

    @cached_property
    def root(self) -> str:
        """Name of the XML root element without its namespace; empty where it is no XML."""
        found = re.match(r"\s*(?:<\?xml[^>]*\?>\s*)?<([A-Za-z]+)[\s>/]", self.text)
        return found[1] if found and not self.is_html else ""

    @cached_property
    def is_html(self) -> bool:
        """Whether it is a page for a browser."""
        head = self.text.lstrip()[:200].lower()
        return head.startswith(("<!doctype html", "<html")) or "<html" in head

    @property
    def is_swift(self) -> bool:
        """Whether OpenStack Swift answers; its own headers are there where it speaks S3, too."""
        return bool({"x-trans-id", "x-openstack-request-id"} & set(self.headers))

    @cached_property
    def code(self) -> str:
        """Code of an S3 error, such as `NoSuchBucket`; empty where it is none."""
        return self.element("Code") if self.root == "Error" else ""

    def element(self, name: str) -> str:
        """Text of the first element `name` of an XML answer; empty where there is none."""
        try:
            tree = ElementTree.fromstring(self.text)  # noqa: S314 (expat >= 2.6 bounds expansion)
        except ElementTree.ParseError:
            return ""
        return next((e.text or "" for e in tree.iter() if e.tag.rpartition("}")[2] == name), "")


def get(settings: Settings, query: Mapping[str, str] | None = None) -> Answer:
    """Send `GET`: unsigned for the endpoint's root, or signed for the bucket with `query`.

    Raises:
        urllib3.exceptions.HTTPError: no answer.
    """
    if query is None:
        url, headers = f"{clients.endpoint(settings)}/", dict[str, str]()
    else:
        url, headers = _signed(settings, query)
    response = _pool(settings).request(
        "GET", url, headers=headers, redirect=False, retries=False, preload_content=False
    )
    try:
        body = response.read(BODY_BYTES, decode_content=True)
    finally:
        response.release_conn()
    return Answer(
        response.status, {name.lower(): value for name, value in response.headers.items()}, body
    )


def connect_seconds(settings: Settings) -> float:
    """How long to wait for a connection: as the settings say, or less."""
    return min(CONNECT_SECONDS, settings.connect_timeout)


def read_seconds(settings: Settings) -> float:
    """How long to wait for an answer: as the settings say, or less."""
    return min(READ_SECONDS, settings.read_timeout)


def token_end(token: str) -> datetime | None:
    """When a session token ends, where it is of the kind that says so: a JSON Web Token.

    Those of SeaweedFS and MinIO are; those of AWS are not. Source of the form: RFC 7519.
    """
    try:
        claims = token.split(".")[1]
        end = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
        return datetime.fromtimestamp(float(end), UTC)
    except (IndexError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _signed(settings: Settings, query: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """URL and headers of a signed request for the bucket. The source of the form: AWS SigV4."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest

    bucket = urlsplit(clients.bucket_url(settings))
    url = bucket._replace(path=bucket.path or "/", query=urlencode(query)).geturl()
    request = AWSRequest("GET", url, headers={"Host": urlsplit(url).netloc})
    S3SigV4Auth(clients.credentials(settings), "s3", clients.region(settings)).add_auth(request)
    return url, dict(request.headers.items())


def _pool(settings: Settings) -> urllib3.PoolManager:
    timeout = urllib3.Timeout(connect=connect_seconds(settings), read=read_seconds(settings))
    trusted = clients.authorities(settings)
    via = clients.proxy(settings)
    if not via:
        return urllib3.PoolManager(timeout=timeout, ca_certs=trusted)
    user = urlsplit(via)
    login = f"{unquote(user.username)}:{unquote(user.password or '')}" if user.username else None
    headers = urllib3.make_headers(proxy_basic_auth=login)
    return urllib3.ProxyManager(via, timeout=timeout, ca_certs=trusted, proxy_headers=headers)
