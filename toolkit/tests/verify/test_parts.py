"""What the requests of an upload in parts say beside the bytes."""

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from dvc_bucket import Settings
from dvc_bucket.connection import clients
from dvc_bucket.connection.clients.patient import WHOLE_BYTES
from tests.doctor.fronts import Ask, Middle, Reply, Request

BEGUN = (
    b"<InitiateMultipartUploadResult><UploadId>u+1/x=</UploadId></InitiateMultipartUploadResult>"
)
KEY = bytes(range(32))
ENCODED = base64.b64encode(KEY).decode()
CUSTOMER = "x-amz-server-side-encryption-customer-"

OF_THE_KEY = {
    "x-amz-server-side-encryption": "",
    f"{CUSTOMER}algorithm": "AES256",
    f"{CUSTOMER}key": ENCODED,
    f"{CUSTOMER}key-md5": base64.b64encode(hashlib.md5(KEY).digest()).decode(),
}
SIGNED = {"authorization": "AWS4-HMAC-SHA256"}

#: Options of obstore, what the request says that begins the upload, and what each part says: the
#: beginnings of headers, empty for one that is not there.
OPTIONS: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, str]]] = {
    "none": ({}, SIGNED, SIGNED),
    "nobody": ({"skip_signature": True}, {"authorization": ""}, {"authorization": ""}),
    "kms": (
        {"server_side_encryption": "aws:kms", "sse_kms_key_id": "its-name"},
        {
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": "its-name",
        },
        {"x-amz-server-side-encryption": ""},
    ),
    "own key": (
        {"server_side_encryption": "sse-c", "sse_customer_key_base64": ENCODED},
        OF_THE_KEY,
        OF_THE_KEY,
    ),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_the_remote_are_in_the_requests(name: str, tmp_path: Path) -> None:
    options, begins, parts = OPTIONS[name]
    requests: list[Request] = []

    def answer(request: Request, _: Ask) -> Reply:
        requests.append(request)
        return Reply(200, {"ETag": '"tag"'}, BEGUN if "uploads=" in request.path else b"<Done/>")

    large = tmp_path / "large"
    large.write_bytes(bytes(WHOLE_BYTES + 1))
    with Middle(answer) as server:
        settings = Settings(
            endpoint_url=server.url,
            bucket_name="research-data",
            access_key_id="somebody",  # pragma: allowlist secret
            secret_access_key=SecretStr("of-nobody"),
            region="us-east-1",
        )
        clients.obstore(settings, **options).put("a b/c", large)
    first, *sent, last = requests
    assert first.path == "/research-data/a%20b/c?uploads="
    assert {each.path.rpartition("&")[2] for each in sent} == {"uploadId=u%2B1%2Fx%3D"}
    assert len(sent) == 2
    assert last.body.count(b'<ETag>"tag"</ETag>') == 2
    for request, wanted in (first, begins), *((each, parts) for each in sent):
        for header, value in wanted.items():
            found = request.header(header)
            assert found.startswith(value), header
            assert value or not found, header
