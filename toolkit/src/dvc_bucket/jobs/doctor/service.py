"""Is it S3, and does it know us: key, secret, token, region, addressing, bucket, listing.

One signed request for a list of the bucket's objects tells most of it; each check reads its own
error codes out of the answer. Source of the codes: Amazon S3 API Reference, "Error responses".
"""

import base64
import json
import re
import ssl
from datetime import UTC, datetime
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import urlsplit

from dvc_bucket.connection import clients, wire
from dvc_bucket.jobs.doctor.answers import CODES
from dvc_bucket.jobs.doctor.certificate import ClockAgrees, StoreAnswers
from dvc_bucket.jobs.doctor.check import Check, Problem
from dvc_bucket.jobs.doctor.patient import Patient

#: Roots of the XML that an S3 service sends to a request of this kind.
S3_ROOTS = {"ListBucketResult", "ListAllMyBucketsResult", "Error"}

#: Codes with which stores refuse a key, a signature, and the token that goes with them.
KEY_REFUSED = {"InvalidAccessKeyId", "NotSignedUp", "InvalidSecurity", "SignatureDoesNotMatch"}
TOKEN_REFUSED = {"InvalidToken", "MalformedSecurityToken", "InvalidClientTokenId"}
TOKEN_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}

LATER = "Try again later. If it persists, inform the store's operator."

WEB_FIX = (
    "Set OS_ENDPOINT_URL to the address of the S3 API, not of the web console. On a guest network, "
    "log in first."
)


class SpeaksS3(Check):
    """A store can have several addresses; only that of its S3 API understands DVC."""

    name = "speaks S3"
    fix = "Ask for the address of the S3 API, and set OS_ENDPOINT_URL to it."
    requires = (StoreAnswers,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the answer to a signed request, and name what it is where it is not S3's."""
        answer, host = patient.listing, clients.bucket_host(patient.settings)
        if isinstance(answer.error, ssl.SSLError) and host != patient.settings.host:
            raise Problem(
                f"the store's certificate is not valid for {host}, which contains the bucket's "
                "name",
                AddressingRight.fix,
            )
        if answer.error:
            raise Problem(f"no answer to a signed request ({type(answer.error).__name__})", LATER)
        if answer.code in CODES or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise patient.answers.give_up()
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            status = f"status {answer.status} {answer.code}".rstrip()
            raise Problem(f"the server cannot answer now ({status})", LATER)
        if patient.settings.is_swift_account and answer.is_swift:
            return "OpenStack Swift's own API, which needs no keys for public data"
        if other := clients.leads_away(patient.settings, answer.headers.get("location", "")):
            raise Problem(
                f"it redirects to another host, {other!r}, to which keys are not sent",
                "Set OS_ENDPOINT_URL to the final address.",
            )
        if answer.root not in S3_ROOTS:
            raise _not_s3(answer, patient.front_door)
        software = "OpenStack Swift" if answer.is_swift else answer.headers.get("server", "")
        return f"yes ({software})" if software else "yes"


class RegionRight(Check):
    """A request is signed for a region; a store that looks refuses another."""

    name = "region"
    fix = "Set OS_REGION to the region of the bucket."
    requires = (SpeaksS3, ClockAgrees)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code, and the right region where the answer says it."""
        answer, region = patient.listing, patient.settings.region
        right = answer.element("Region") or answer.headers.get("x-amz-bucket-region", "")
        is_malformed = answer.code == "AuthorizationHeaderMalformed"
        is_moved = answer.code in {"PermanentRedirect", "IllegalLocationConstraintException"}
        if is_malformed or (is_moved and right not in {"", region}):
            expected = re.search(r"expecting '([^']+)'", answer.element("Message"))
            right = right or (expected[1] if expected else "")
            fix = f"Set OS_REGION={right}." if right else ""
            raise Problem(
                f"the requests are signed for {region}, which is not the region of the store", fix
            )
        return f"{region or 'of your AWS configuration'}: accepted"


class TokenValid(Check):
    """Temporary credentials end after hours; what used them then fails in the middle."""

    name = "session token"
    fix = "Log in again, and renew OS_SESSION_TOKEN with the two keys that came with it."
    requires = (RegionRight,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code; where that blames the key instead, look at the token itself."""
        code, settings = patient.listing.code, patient.settings
        if code in TOKEN_EXPIRED:
            raise Problem("the session token has expired")
        if not settings.session_token:
            return "none in use"
        if code not in KEY_REFUSED | TOKEN_REFUSED:
            return "accepted"
        end = _token_end(settings.session_token.get_secret_value())
        if end and end < datetime.now(UTC):
            raise Problem("the session token has expired, according to its own date")
        without = patient.list_as(settings.model_copy(update={"session_token": None}))
        if not without.error and without.code not in KEY_REFUSED | TOKEN_REFUSED:
            raise Problem(
                f"{_origin(patient, 'SESSION_TOKEN')} does not belong to these two keys, which "
                "need none",
                "Remove OS_SESSION_TOKEN, or set the two keys that came with it.",
            )
        if code in TOKEN_REFUSED:
            raise Problem("the store does not accept the session token")
        return "not refused"


class KeyKnown(Check):
    """A key that the store does not know opens nothing."""

    name = "access key"
    fix = "Copy OS_ACCESS_KEY_ID again, or create a new key."
    requires = (TokenValid,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code."""
        if patient.settings.anonymous:
            return "none: requests are not signed"
        answer, where = patient.listing, _origin(patient, "ACCESS_KEY_ID")
        if answer.code == "SignatureDoesNotMatch" and answer.is_swift:
            raise Problem(
                f"the key of {where} is unknown, or its secret is wrong (OpenStack Swift does not "
                "say which)",
                "Copy OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY again, to the last character, or "
                "create new ones (`openstack ec2 credentials create`).",
            )
        if answer.code in KEY_REFUSED - {"SignatureDoesNotMatch"}:
            expired = ", or its session has ended" if patient.settings.session_token else ""
            raise Problem(f"the store does not know the key of {where}{expired}")
        return "known"


class SecretRight(Check):
    """DVC says only `Forbidden` when the secret is wrong."""

    name = "secret key"
    fix = "Copy OS_SECRET_ACCESS_KEY again, to its last character, or create a new key."
    requires = (KeyKnown,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code."""
        if patient.settings.anonymous:
            return "none"
        if patient.listing.code == "SignatureDoesNotMatch":
            where = _origin(patient, "SECRET_ACCESS_KEY")
            raise Problem(f"{where} does not belong to the access key")
        return "belongs to the key"


class AddressingRight(Check):
    """The bucket's name goes into the path or before the host name; many stores take one only."""

    name = "addressing"
    fix = "Set OS_ADDRESSING_STYLE=path."
    requires = (SecretRight,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Tell from the answer whether the store saw the bucket."""
        answer, settings = patient.listing, patient.settings
        style = "path" if settings.addressing_style == "auto" else settings.addressing_style
        wants_virtual = {"SecondLevelDomainForbidden", "PermanentRedirect", "VirtualHostRequired"}
        if answer.code in wants_virtual or "virtual" in answer.element("Message").lower():
            raise Problem(
                "the store requires the bucket before the host name",
                "Set OS_ADDRESSING_STYLE=virtual.",
            )
        if answer.root == "ListAllMyBucketsResult":
            raise Problem("the store ignores the bucket in the host name")
        rest = settings.host.removeprefix(f"{settings.bucket_name}.")
        if rest != settings.host:
            raise Problem(
                "OS_ENDPOINT_URL begins with the bucket's name, which clients add themselves",
                f"Replace {settings.host} by {rest} in OS_ENDPOINT_URL.",
            )
        return f"{style}: understood"


class BucketThere(Check):
    """DVC does not make buckets."""

    name = "bucket"
    fix = "Correct OS_BUCKET_NAME, or create the bucket."
    requires = (AddressingRight,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code."""
        answer, name = patient.listing, patient.settings.bucket_name
        if answer.code in {"NoSuchBucket", "InvalidBucketName"} or answer.status == 404:
            where = patient.sources.find("OS_BUCKET_NAME")
            raise Problem(f"the bucket {name} does not exist: {where!r}")
        if answer.status in {401, 403}:
            return f"{name}: the store does not tell this key whether it exists"
        return name


class MayList(Check):
    """DVC lists the remote to know what is there."""

    name = "may list"
    fix = "Ask the bucket's owner for permission to list it (s3:ListBucket)."
    requires = (BucketThere,)

    #: Codes with which stores refuse a request that was well signed.
    REFUSALS: ClassVar = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden"}

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code and the status."""
        answer = patient.listing
        if answer.code in MayList.REFUSALS or answer.status in {401, 403}:
            who = "who has no keys" if patient.settings.anonymous else "this key"
            raise Problem(f"{who} may not list the bucket")
        if answer.status != 200:
            raise Problem(f"the store answers {answer.status} {answer.code}", LATER)
        return f"s3://{patient.settings.bucket_name}/{patient.prefix}"


def _not_s3(answer: wire.Answer, door: wire.Answer) -> Problem:
    """What answers instead of S3, from its answers to a signed and to an unsigned request."""
    both = door.text + answer.text
    if '"identity"' in both or ("/v3/" in both and "versions" in both):
        return Problem(
            "it is Keystone, OpenStack's login service",
            "Ask for the S3 endpoint of the object store: `openstack catalog list` shows its "
            "host; the S3 API usually has the same host, without /v1/AUTH_...",
        )
    if answer.is_swift:
        return Problem(
            "it is OpenStack Swift's own API, without the S3 API",
            "Ask the operator for the S3 API (s3api); not every Swift has it.",
        )
    if answer.is_html or door.is_html:
        title = re.search(r"<title[^>]*>([^<]{1,60})", both, re.IGNORECASE)
        named = f" ({title[1].strip()!r})" if title else ""
        return Problem(
            f"it is a web page{named}: a login page, a console or a proxy's notice", WEB_FIX
        )
    if location := answer.headers.get("location") or door.headers.get("location"):
        path = urlsplit(location).path or "/"
        return Problem(f"it redirects to {path}, as a web console does", WEB_FIX)
    return Problem(f"status {answer.status} and not an answer of S3")


def _token_end(token: str) -> datetime | None:
    """When a session token ends, where it is of the kind that says so: a JSON Web Token.

    Those of SeaweedFS and MinIO are; those of AWS are not. Source of the form: RFC 7519.
    """
    try:
        claims = token.split(".")[1]
        end = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"]
        return datetime.fromtimestamp(float(end), UTC)
    except (IndexError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _origin(patient: Patient, what: str) -> str:
    """Which setting holds a part of the credentials, and where it stands."""
    setting = patient.sources.find(f"OS_{what}", f"AWS_{what}")
    return repr(setting) if setting else "your AWS configuration"
