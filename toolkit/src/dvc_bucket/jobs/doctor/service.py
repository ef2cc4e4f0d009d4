"""Is it S3, and does it know us: key, secret, token, region, addressing, bucket, listing.

One signed request for a list of the bucket's objects tells most of it; each check reads its own
error codes out of the answer. Source of the codes: Amazon S3 API Reference, "Error responses".
"""

import re
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlsplit

import urllib3

from dvc_bucket.connection import clients, wire
from dvc_bucket.jobs.doctor.check import Check, Problem
from dvc_bucket.jobs.doctor.patient import Patient
from dvc_bucket.jobs.doctor.web import Answers, ClockAgrees

#: Roots of the XML that an S3 service sends to a request of this kind.
S3_ROOTS = {"ListBucketResult", "ListAllMyBucketsResult", "Error"}

#: Codes with which stores refuse a key, a signature, and the token that goes with them.
KEY_REFUSED = {"InvalidAccessKeyId", "NotSignedUp", "InvalidSecurity", "SignatureDoesNotMatch"}
TOKEN_REFUSED = {"InvalidToken", "MalformedSecurityToken", "InvalidClientTokenId"}

WEB_FIX = (
    "Write the address of the S3 API in OS_ENDPOINT_URL, not that of the web console; on a guest "
    "network, log in first."
)


class SpeaksS3(Check):
    """The answers are those of S3."""

    name = "speaks S3"
    why = "A store can have several addresses; only that of its S3 API understands DVC."
    fix = "Ask for the address of the S3 API, and write it in OS_ENDPOINT_URL."
    needs = (Answers,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Look at the answer to a signed request, and name what it is where it is not S3's."""
        try:
            answer = patient.listing
        except urllib3.exceptions.HTTPError as error:
            raise Problem(
                f"no answer to a signed request ({type(error).__name__})",
                "Try again later; if it stays, tell the store's operator.",
            ) from None
        if answer.status >= 500 or answer.status == 429:
            raise Problem(
                f"the server cannot answer now (status {answer.status} {answer.code})".replace(
                    " )", ")"
                ),
                "Try again later; if it stays, tell the store's operator.",
            )
        if other := clients.leads_away(patient.settings, answer.headers.get("location", "")):
            raise Problem(
                f"it redirects to another host, {other!r}, where keys do not follow",
                "Write the address of the store that answers itself in OS_ENDPOINT_URL.",
            )
        if answer.root in S3_ROOTS:
            return _software(answer)
        door = patient.front_door
        everything = door.text + answer.text
        if '"identity"' in everything or ("/v3/" in everything and "versions" in everything):
            raise Problem(
                "it is Keystone, OpenStack's login service",
                "Ask for the S3 endpoint of the object store: `openstack catalog list` shows its "
                "host; the S3 API mostly has the same host, without /v1/AUTH_...",
            )
        if answer.is_swift:
            raise Problem(
                "it is OpenStack Swift's own API, without the S3 one",
                "Ask the operator where the S3 API (s3api) is; not every Swift has it.",
            )
        if answer.is_html or door.is_html:
            title = re.search(r"<title[^>]*>([^<]{1,60})", everything, re.IGNORECASE)
            named = f" ({title[1].strip()!r})" if title else ""
            raise Problem(
                f"it is a web page{named}: a login page, a console or a proxy's notice",
                WEB_FIX,
            )
        if location := answer.headers.get("location") or door.headers.get("location"):
            raise Problem(
                f"it redirects to {urlsplit(location).path or '/'}, as a web console does", WEB_FIX
            )
        raise Problem(f"status {answer.status} and no answer of S3's")


class RegionRight(Check):
    """The region is the store's."""

    name = "region"
    why = "A request is signed for a region; a store that looks refuses another."
    fix = "Set OS_REGION to the region of the bucket."
    needs = (SpeaksS3, ClockAgrees)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code, and the right region where the answer says it."""
        answer, region = patient.listing, patient.settings.region
        right = answer.element("Region") or answer.headers.get("x-amz-bucket-region", "")
        malformed = answer.code == "AuthorizationHeaderMalformed"
        moved = answer.code in {"PermanentRedirect", "IllegalLocationConstraintException"}
        if malformed or (moved and right and right != region):
            told = re.search(r"expecting '([^']+)'", answer.element("Message"))
            right = right or (told[1] if told else "")
            fix = f"Set OS_REGION={right}." if right else None
            raise Problem(f"the requests are signed for {region}, which is not the store's", fix)
        return f"{region or 'of the AWS set-up'}: accepted"


class TokenValid(Check):
    """Credentials that expire have not."""

    name = "session token"
    why = "Temporary credentials end after hours; what used them then fails in the middle."
    fix = "Log in again, and renew OS_SESSION_TOKEN with the two keys that came with it."
    needs = (RegionRight,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code; where that blames the key instead, look at the token itself."""
        code, settings = patient.listing.code, patient.settings
        where = patient.sources.find("OS_SESSION_TOKEN", "AWS_SESSION_TOKEN")
        if code in {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}:
            raise Problem("the session token has expired")
        if not settings.session_token:
            return "none in use"
        if code in KEY_REFUSED | TOKEN_REFUSED:
            until = wire.token_end(settings.session_token.get_secret_value())
            if until and until < datetime.now(UTC):
                raise Problem("the session token has expired: so it says itself")
            without = patient.list_as(settings.model_copy(update={"session_token": None}))
            if without.code not in KEY_REFUSED | TOKEN_REFUSED:
                raise Problem(
                    f"{where!r} does not go with these two keys, which need none",
                    "Take OS_SESSION_TOKEN out, or set the two keys that came with it.",
                )
        if code in TOKEN_REFUSED:
            raise Problem("the store does not accept the session token")
        return "not refused" if code in KEY_REFUSED else "accepted"


class KeyKnown(Check):
    """The store knows the access key."""

    name = "access key"
    why = "A key that the store does not know opens nothing."
    fix = "Copy OS_ACCESS_KEY_ID again, or have a new key made."
    needs = (TokenValid,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code."""
        answer, where = patient.listing, _origin(patient, "ACCESS_KEY_ID")
        if answer.code in KEY_REFUSED - {"SignatureDoesNotMatch"}:
            expired = ", or its session has ended" if patient.settings.session_token else ""
            raise Problem(f"the store does not know the key of {where}{expired}")
        if answer.code == "SignatureDoesNotMatch" and answer.is_swift:
            raise Problem(
                f"the key of {where} is unknown, or its secret is wrong: OpenStack Swift does not "
                "say which",
                "Copy OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY again, to the last character, or "
                "have new ones made (`openstack ec2 credentials create`).",
            )
        return "known"


class SecretRight(Check):
    """The secret belongs to the key."""

    name = "secret key"
    why = "DVC says only `Forbidden` when the secret is wrong."
    fix = "Copy OS_SECRET_ACCESS_KEY again, to its last character, or have a new key made."
    needs = (KeyKnown,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code."""
        if patient.listing.code == "SignatureDoesNotMatch":
            where = _origin(patient, "SECRET_ACCESS_KEY")
            raise Problem(f"{where} does not belong to the access key")
        return "belongs to the key"


class AddressingRight(Check):
    """The store finds the bucket's name where we put it."""

    name = "addressing"
    why = "The bucket's name goes into the path or before the host name; many stores take one only."
    fix = "Set OS_ADDRESSING_STYLE=path."
    needs = (SecretRight,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Tell from the answer whether the store saw the bucket."""
        answer, settings = patient.listing, patient.settings
        style = "path" if settings.addressing_style == "auto" else settings.addressing_style
        wants_virtual = {"SecondLevelDomainForbidden", "PermanentRedirect", "VirtualHostRequired"}
        if answer.code in wants_virtual or "virtual" in answer.element("Message").lower():
            raise Problem(
                "the store wants the bucket before the host name",
                "Set OS_ADDRESSING_STYLE=virtual.",
            )
        if answer.root == "ListAllMyBucketsResult":
            raise Problem("the store does not see the bucket in the host name")
        if settings.host.startswith(f"{settings.bucket_name}."):
            rest = settings.host.removeprefix(f"{settings.bucket_name}.")
            raise Problem(
                "OS_ENDPOINT_URL begins with the bucket's name, which clients add themselves",
                f"Write {rest} for {settings.host} in OS_ENDPOINT_URL.",
            )
        return f"{style}: understood"


class BucketThere(Check):
    """The bucket exists."""

    name = "bucket"
    why = "DVC does not make buckets."
    fix = "Correct OS_BUCKET_NAME, or have the bucket made."
    needs = (AddressingRight,)

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code."""
        answer, name = patient.listing, patient.settings.bucket_name
        if answer.code in {"NoSuchBucket", "InvalidBucketName"} or answer.status == 404:
            where = patient.sources.find("OS_BUCKET_NAME")
            raise Problem(f"there is no bucket {name}: {where!r}")
        if answer.status in {401, 403}:
            return f"{name}: the store does not tell this key whether it is there"
        return name


class MayList(Check):
    """The key may list the bucket."""

    name = "may list"
    why = "DVC lists the remote to know what is there."
    fix = "Ask the bucket's owner for the right to list it (s3:ListBucket)."
    needs = (BucketThere,)

    #: Codes with which stores refuse a request that was well signed.
    REFUSALS: ClassVar = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden"}

    @staticmethod
    def check(patient: Patient) -> str:
        """Read the error code and the status."""
        answer = patient.listing
        if answer.code in MayList.REFUSALS or answer.status in {401, 403}:
            raise Problem("this key may not list the bucket")
        if answer.status != 200:
            raise Problem(
                f"the store answers {answer.status} {answer.code}",
                "Try again later; if it stays, tell the store's operator this code.",
            )
        return f"s3://{patient.settings.bucket_name}/{patient.prefix}"


ALL = (
    SpeaksS3,
    RegionRight,
    TokenValid,
    KeyKnown,
    SecretRight,
    AddressingRight,
    BucketThere,
    MayList,
)


def _software(answer: wire.Answer) -> str:
    """What can be told of the server's kind."""
    server = answer.headers.get("server", "")
    if answer.is_swift:
        return "yes (OpenStack Swift)"
    return f"yes ({server})" if server else "yes"


def _origin(patient: Patient, what: str) -> str:
    """Which setting holds a half of the credentials, and where it stands."""
    found = patient.sources.find(f"OS_{what}", f"AWS_{what}")
    return repr(found) if found else "the AWS set-up"
