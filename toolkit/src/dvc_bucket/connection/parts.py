"""A large file as one object, in parts, each of which is tried again as `retries` has it.

obstore sends parts, too, but tries them again by itself: it counts none, reads no `Retry-After`,
and where the store ends in the middle it tries for as long as there is. So each request is signed
and sent here. Source: the API of S3, `CreateMultipartUpload`, `UploadPart`,
`CompleteMultipartUpload`, `AbortMultipartUpload`.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obstore import exceptions

from dvc_bucket.connection import wire
from dvc_bucket.connection.by_botocore import KINDS
from dvc_bucket.connection.clients.patient import PARTS_AT_ONCE, part_size

if TYPE_CHECKING:
    from dvc_bucket.connection.clients.patient import PatientStore

#: Headers of encryption, by obstore's names for what they say.
ENCRYPTION = {
    "server_side_encryption": "x-amz-server-side-encryption",
    "sse_kms_key_id": "x-amz-server-side-encryption-aws-kms-key-id",
}
CUSTOMER = "x-amz-server-side-encryption-customer-"

#: An upload that the store does not know: completed, perhaps, by a request whose answer was lost.
NO_UPLOAD = "NoSuchUpload"


def put(
    store: "PatientStore",
    key: str,
    path: Path,
    attributes: Mapping[str, str],
    sent: Callable[[int], None],
) -> None:
    """Store a file as an object.

    Args:
        store: the bucket.
        key: of the object.
        path: of the file.
        attributes: the object's user metadata.
        sent: hears how many bytes more the store has taken.

    Raises:
        FileNotFoundError, BaseError: as obstore.
        OSError: the file cannot be read.
    """
    from multiprocessing.pool import ThreadPool  # its threads do not outlive an interrupt

    with path.open("rb", buffering=0) as file, _Upload(store, key, attributes) as upload:
        size, tags = os.fstat(file.fileno()).st_size, []
        part = part_size(size)

        def send(start: int) -> tuple[str, int]:
            body = os.pread(file.fileno(), part, start)
            return upload.send(start // part + 1, body), len(body)

        with ThreadPool(PARTS_AT_ONCE) as threads:
            for tag, length in threads.imap(send, range(0, size, part)):
                tags.append(tag)
                sent(length)
        upload.complete(tags, size)


class _Upload:
    """An upload that has begun, and that the store forgets if the block that uses it fails."""

    def __init__(self, store: "PatientStore", key: str, attributes: Mapping[str, str]) -> None:
        self._store, self._key, self._signed = store, key, store.signed
        self._encryption = _customer_key(store.options)
        headers = {f"x-amz-meta-{name}": value for name, value in attributes.items()}
        headers |= {
            header: str(store.options[name])
            for name, header in ENCRYPTION.items()
            if store.options.get(name) and store.options[name] != "sse-c"
        }
        answer = self._ask("POST", {"uploads": ""}, headers=headers | self._encryption)
        self._id = {"uploadId": answer.element("UploadId")}

    def __enter__(self) -> "_Upload":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind:  # Ctrl-C too: the store keeps no parts of what will not be
            self.abort()

    def send(self, number: int, body: bytes) -> str:
        """Send a part; its tag."""
        query = {"partNumber": str(number)} | self._id
        return self._ask("PUT", query, body, self._encryption).headers.get("etag", "")

    def complete(self, tags: list[str], size: int) -> None:
        """Make the object of its parts."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
            for number, tag in enumerate(tags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        try:
            self._ask("POST", self._id, body)
        except FileNotFoundError as error:
            if NO_UPLOAD not in str(error) or self._store.head(self._key)["size"] != size:
                raise

    def abort(self) -> None:
        """Have the store forget the parts, if it answers."""
        with suppress(exceptions.BaseError, OSError):
            self._once("DELETE", self._id)

    def _ask(
        self,
        method: str,
        query: Mapping[str, str],
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> wire.Answer:
        for attempt in self._store.attempts(method, self._key):
            with attempt:
                answer = self._once(method, query, body, headers)
        return answer

    def _once(
        self,
        method: str,
        query: Mapping[str, str],
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> wire.Answer:
        answer = self._signed.ask(method, query, self._key, body, headers)
        _raise_failure(answer)
        return answer


def _raise_failure(answer: wire.Answer) -> None:
    """Raise what obstore would, if an answer is no success."""
    if answer.error is not None:
        raise exceptions.GenericError(f"HTTP error: {wire.transport_of(answer.error)}")
    status = answer.status
    if answer.code and status == HTTPStatus.OK:  # S3 may find out late that it cannot complete
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise KINDS.get(status, exceptions.GenericError)(
            f"status code: {status:d} <Code>{answer.code}</Code>"
            f"<RequestId>{answer.element('RequestId')}</RequestId>"
        )


def _customer_key(options: Mapping[str, Any]) -> dict[str, str]:
    """Headers of a key of the customer's own, which each part needs."""
    if not (key := options.get("sse_customer_key_base64")):
        return {}
    digest = hashlib.md5(base64.b64decode(key), usedforsecurity=False).digest()
    return {
        f"{CUSTOMER}algorithm": "AES256",
        f"{CUSTOMER}key": key,
        f"{CUSTOMER}key-MD5": base64.b64encode(digest).decode(),
    }
