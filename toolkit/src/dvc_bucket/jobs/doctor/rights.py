"""What this key may do, tried with objects of our own, and whether bytes arrive as they left.

The objects lie below `<prefix>/.doctor/`, are removed at once, and what a run that was killed left
there is removed by the next.
"""

import contextlib
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from dvc_bucket.connection import clients
from dvc_bucket.jobs.doctor.answers import is_throttle
from dvc_bucket.jobs.doctor.check import Check, Problem, Skip, Warn
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.probes import probe, probe_bytes, sweep
from dvc_bucket.jobs.doctor.service import BucketThere, MayList

#: S3's smallest part but for the last. Source: Amazon S3 User Guide, "Multipart upload limits".
PART_BYTES = 5 * 1024**2

#: Sizes of the small object and of the second part: no round numbers, so that padding is seen.
SMALL_BYTES = 1_037
LAST_PART_BYTES = 1_021


#: Found with a key that may list the bucket and not write. That is no fault: most people of a group
#: need no more.
READ_ONLY = (
    "read only: this key may not write. This is enough for pull, verify, report and check; push "
    "needs permission to write (s3:PutObject)"
)


#: Found without keys.
ANONYMOUS = "anonymous: can read but not write. Pushing needs keys"


class RefusedError(Problem):
    """The store refuses this key what was tried."""


class TransfersReach(Check):
    """`bucket pull` and `bucket push` move bytes by a client of their own, obstore."""

    name = "transfers"
    fix = "Unset the proxy variables that the other checks did not mention, or set BUCKET_FAST=0."
    requires = (MayList,)

    @staticmethod
    def check(patient: Patient) -> str:
        """List the bucket by it, a page at most."""
        import obstore
        from obstore.exceptions import BaseError

        store = clients.obstore(patient.settings)
        own = patient.settings.is_swift_account  # whose listings obstore does not know
        try:
            listing = store.list if own else partial(obstore.list, store)
            next(iter(listing(patient.folder)), None)
        except BaseError as error:
            reason = str(error).partition("\n")[0].rpartition(" - ")[2].rstrip(": ")
            raise Problem(f"obstore cannot list the bucket: {reason[:200]}") from None
        return "reach the store as DVC does"


class MayWrite(Check):
    """Without it `dvc push` fails, perhaps after hours of work."""

    name = "may write"
    fix = "Ask the bucket's owner for permission to write (s3:PutObject)."
    requires = (BucketThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Put a small object."""
        if patient.settings.anonymous:
            raise Skip(ANONYMOUS)
        if patient.read_only:
            raise Skip("--read-only")
        sweep(patient)
        try:
            with _refusals(patient, "write"):
                patient.client.put_object(
                    Body=probe_bytes(patient, SMALL_BYTES), **probe(patient, "small")
                )
        except RefusedError:
            if patient.listing.status != HTTPStatus.OK:
                raise
            raise Skip(READ_ONLY) from None
        patient.has_written = True
        return f"{SMALL_BYTES} bytes"


class MayRead(Check):
    """Without it `dvc pull` fails; and a store that changes bytes ruins what it keeps."""

    name = "may read"
    fix = "Ask the bucket's owner for permission to read (s3:GetObject)."
    requires = (BucketThere,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Get the small object and compare; read-only: the first byte of any object."""
        if not patient.has_written:  # read-only, or not allowed to write
            key, bucket = patient.listing.element("Key"), patient.settings.bucket_name
            if patient.settings.is_swift_account:  # its listing has a name a line
                key = patient.listing.text.partition("\n")[0]
            if not key:
                raise Skip("the bucket has no object to read")
            with _refusals(patient, "read"):
                patient.client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")
            return "the first byte of an existing object"
        with _refusals(patient, "read"):
            arrived = patient.client.get_object(**probe(patient, "small"))["Body"].read()
        _compare(arrived, probe_bytes(patient, SMALL_BYTES))
        return "the same bytes came back"


class HasRanges(Check):
    """Large files come in several streams, and tables in parts, where a store sends ranges."""

    name = "range requests"
    fix = "You need not do anything: requested data arrives, but large files take longer."
    requires = (MayRead, MayWrite)

    @staticmethod
    def check(patient: Patient) -> str:
        """Get some bytes from the middle of the small object."""
        with _refusals(patient, "read a range"):
            answer = patient.client.get_object(Range="bytes=10-19", **probe(patient, "small"))
            arrived = answer["Body"].read()
        content = probe_bytes(patient, SMALL_BYTES)
        if arrived == content:
            raise Warn(
                "no range requests: large files arrive in one stream, and parts come with the "
                "whole file"
            )
        _compare(arrived, content[10:20])
        if answer["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.PARTIAL_CONTENT:
            raise Warn("no standard range requests: large files arrive in one stream")
        return "answered"


class Multipart(Check):
    """DVC sends files of more than 50 MB in parts."""

    name = "multipart"
    fix = "Ask the store's operator whether multipart uploads are enabled for this bucket."
    requires = (MayWrite,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Put an object of two parts, get it and compare."""
        content = probe_bytes(patient, PART_BYTES + LAST_PART_BYTES)
        place, client = probe(patient, "parts"), patient.client
        with _refusals(patient, "write in parts"):
            upload = client.create_multipart_upload(**place)["UploadId"]
            patient.written[place["Key"]] = upload
            parts = []
            for number, body in enumerate((content[:PART_BYTES], content[PART_BYTES:]), 1):
                answer = client.upload_part(Body=body, PartNumber=number, UploadId=upload, **place)
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
            client.complete_multipart_upload(
                UploadId=upload, MultipartUpload={"Parts": parts}, **place
            )
            patient.written[place["Key"]] = None
        with _refusals(patient, "read an object written in parts"):
            _compare(client.get_object(**place)["Body"].read(), content)
        return f"{len(content) / 1e6:.1f} MB in two parts, the same bytes came back"


class ChecksumsTaken(Check):
    """SDKs of 2025 and later send checksum trailers that many stores refuse or mangle."""

    name = "checksum settings"
    fix = (
        "Add AWS_REQUEST_CHECKSUM_CALCULATION=when_required and "
        "AWS_RESPONSE_CHECKSUM_VALIDATION=when_required to .env, as in .env.example."
    )
    requires = (MayWrite,)

    @staticmethod
    def check(patient: Patient) -> str:
        """With the settings in place nothing can go wrong; else try what would be sent."""
        find = patient.sources.find
        if all(find(name).value == value for name, value in clients.CHECKSUMS.items()):
            return "only if S3 requires them"
        client = patient.new_client(
            request_checksum_calculation="when_supported",
            response_checksum_validation="when_supported",
        )
        place, content = probe(patient, "trailer"), probe_bytes(patient, SMALL_BYTES)
        try:
            client.put_object(Body=content, **place)
            # Read without the checking of the client itself, to see what is stored.
            arrived = patient.client.get_object(**place)["Body"].read()
        except Exception as error:  # the edge to botocore, whose exceptions have no base
            if is_throttle(code := error_code(error)):
                raise patient.answers.give_up() from None
            raise Problem(f"the store refuses plain dvc's checksums ({code})") from None
        if arrived != content:
            raise Problem("with plain dvc's checksums the store keeps bytes other than those sent")
        return "not set; this store accepts the SDKs' own"


class MayDelete(Check):
    """`dvc gc -c` needs it, and so does an upload that is taken back."""

    name = "may delete"
    fix = "Ask the bucket's owner for permission to delete (s3:DeleteObject), if you need it."
    requires = (MayWrite,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Delete the objects of this run, and see that they are gone."""
        bucket, mine = patient.settings.bucket_name, f"{patient.probes}{patient.run}/"
        with _refusals(patient, f"delete; objects remain below {patient.probes}"):
            for key, upload in sorted(patient.written.items()):
                patient.client.delete_object(Bucket=bucket, Key=key)
                if upload is None:
                    del patient.written[key]
        try:
            left = patient.client.list_objects_v2(Bucket=bucket, Prefix=mine).get("Contents", [])
        except ClientError:
            return "done; this key may not list the remaining objects"
        if left:
            raise Warn(
                f"{len(left)} deleted objects are still listed",
                "You need not do anything: this store's listing is delayed; `dvc status -c` can "
                "be delayed, too.",
            )
        return "nothing remains"


def _compare(arrived: bytes, sent: bytes) -> None:
    """Raise a problem where other bytes came back than were sent."""
    if arrived == sent:
        return
    if b"x-amz-checksum" in arrived or b";chunk-signature=" in arrived:
        raise Problem("the store keeps the framing of the upload in the object", ChecksumsTaken.fix)
    at = next((i for i, (a, b) in enumerate(zip(arrived, sent, strict=False)) if a != b), None)
    where = f"byte {at} differs" if at is not None else "some bytes are missing or added"
    raise Problem(
        f"{len(sent)} bytes were sent and {len(arrived)} came back; {where}",
        "Do not use this store until its operator has explained it.",
    )


@contextlib.contextmanager
def _refusals(patient: Patient, what: str) -> Iterator[None]:
    """Turn the client's exceptions into problems: what was tried, the store's code."""
    try:
        yield
    except Problem:
        raise
    except Exception as error:  # the edge to both clients: any refusal is a finding
        code = error_code(error)
        if code in MayList.REFUSALS or code in {"401", "403"}:
            raise RefusedError(f"this key may not {what}") from None
        if is_throttle(code):
            raise patient.answers.give_up() from None
        if "quota" in code.lower() or code in {"EntityTooLarge", "507", "InsufficientStorage"}:
            raise Problem(
                f"the bucket is full ({code})", "Delete unneeded data, or ask for more space."
            ) from None
        raise Problem(f"could not {what}: the store answers {code}") from None


def error_code(error: Exception) -> str:
    """The S3 code of a client's exception, or the exception's kind; never its text."""
    response: dict[str, Any] = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code") or type(error).__name__)
