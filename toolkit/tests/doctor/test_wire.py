"""One request to the store: what is sent, and what becomes of an answer or of none."""

import base64

import pytest
from pydantic import SecretStr

from dvc_bucket import Settings
from dvc_bucket.base.ports import ADDRESS, free_ports
from dvc_bucket.connection import wire
from tests.doctor.fronts import Ask, Middle, Reply, Request

LISTING = b"""<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Contents><Key>first</Key></Contents><Contents><Key>second</Key></Contents></ListBucketResult>"""


def settings_of(url: str) -> Settings:
    return Settings(
        endpoint_url=url,
        bucket_name="research-data",
        access_key_id="somebody",  # pragma: allowlist secret
        secret_access_key=SecretStr("of-nobody"),
        region="us-east-1",
    )


def test_the_answer_to_a_signed_request_is_read_through_a_proxy_with_a_login(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests: list[Request] = []

    def answer(request: Request, _: Ask) -> Reply:
        requests.append(request)
        return Reply(200, {"X-Trans-Id": "1"}, LISTING)

    with Middle(answer) as proxy:
        login = proxy.url.replace("//", "//me:p%40ss@")  # pragma: allowlist secret
        monkeypatch.setenv("http_proxy", login)
        found = wire.get(settings_of("http://s3.example.org"), {"list-type": "2", "prefix": "a/"})
    [request] = requests
    assert request.path == "/research-data?list-type=2&prefix=a%2F"
    assert request.header("authorization").startswith("AWS4-HMAC-SHA256 Credential=somebody/")
    expected = base64.b64encode(b"me:p@ss").decode()
    assert request.header("proxy-authorization") == f"Basic {expected}"
    assert (found.status, found.root, found.element("Key")) == (200, "ListBucketResult", "first")
    assert found.is_swift
    assert found.error is None


@pytest.mark.parametrize("body", [b"", b"<html><body>Hello", b"<Error><Code>Broken", b"{}"])
def test_what_is_no_xml_has_no_elements(body: bytes) -> None:
    with Middle(lambda _request, _ask: Reply(200, {}, body)) as server:
        found = wire.get(settings_of(server.url))
    assert (found.root, found.code, found.element("Code")) == ("", "", "")
    assert found.is_html is (b"html" in body)


def test_no_answer_is_its_first_cause() -> None:
    found = wire.get(settings_of(f"https://{ADDRESS}:{free_ports(1)[0]}"))
    assert isinstance(found.error, ConnectionRefusedError)
    assert found.status == 0
