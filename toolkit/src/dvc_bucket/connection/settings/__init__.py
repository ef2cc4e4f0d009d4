"""The connection to the bucket: read once, checked once.

The environment wins over `.env`. Nothing else in the project reads an `OS_*` name. How each client
is told the same is in `dvc_bucket.connection.clients`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.models import Model
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import credentials, rules
from dvc_bucket.connection.settings.credentials import CREDENTIALS as CREDENTIALS
from dvc_bucket.connection.settings.credentials import REQUIRED as REQUIRED
from dvc_bucket.connection.settings.endpoints import LOOPBACK as LOOPBACK
from dvc_bucket.connection.settings.endpoints import is_embedded as is_embedded
from dvc_bucket.connection.settings.endpoints import (
    is_readable_on_the_way as is_readable_on_the_way,
)
from dvc_bucket.connection.settings.sources import ANONYMOUS, RETRY_SECONDS, Found, Sources

if TYPE_CHECKING:
    from dvc_bucket.connection.clients.patient import PatientStore

#: What a user sets, and the field that each fills. The four that everybody needs come first; the
#: others are optional. A second name is the AWS SDKs', read where ours is not set. `OS_CACERT` is
#: OpenStack's own name; `OS_REGION_NAME`, which its RC files set, is Keystone's region and no S3's.
NAMES = {
    "endpoint_url": ("OS_ENDPOINT_URL",),
    "bucket_name": ("OS_BUCKET_NAME",),
    "access_key_id": ("OS_ACCESS_KEY_ID",),
    "secret_access_key": ("OS_SECRET_ACCESS_KEY",),
    "session_token": ("OS_SESSION_TOKEN",),
    "region": ("OS_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
    "addressing_style": ("OS_ADDRESSING_STYLE",),
    "ca_bundle": ("OS_CACERT", "AWS_CA_BUNDLE"),
    "connect_timeout": ("OS_CONNECT_TIMEOUT",),
    "read_timeout": ("OS_READ_TIMEOUT",),
    "retry_seconds": (RETRY_SECONDS,),
    "profile": rules.AWS_PROFILE,
    "anonymous": (ANONYMOUS,),
}

#: Stores that are not AWS accept any region, or call theirs this; SDKs insist on one to sign with.
DEFAULT_REGION = "us-east-1"

#: S3 bucket names: 3 to 63 of a-z, 0-9, dot, hyphen; a letter or digit at both ends; no empty part
#: between dots and no IP address.
#: Source: Amazon S3 User Guide, "General purpose bucket naming rules".
BUCKET_NAME = re.compile(r"(?!.*\.\.)(?![0-9.]+\Z)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

#: Host names as DNS has them, or an IPv6 address. Source: RFC 1123, section 2.1.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")

#: The path of an account in OpenStack Swift's own API, which data is read from without keys: its S3
#: API answers signed requests only. Ceph has it below `/swift`.
#: Source: Swift, middleware/s3api/s3request.py, `_parse_auth_info`; Ceph, "Swift API".
SWIFT_ACCOUNT = re.compile(r"(?:/swift)?/v1/[A-Za-z0-9_.%-]+")

#: Longest timeout that makes sense, in seconds.
MAX_TIMEOUT_SECONDS = 3600


class Settings(Model):
    """Endpoint, bucket and credentials; a secret shows as stars wherever it is printed.

    Attributes:
        anonymous: requests are not signed, because there are no keys or they are not used.
        endpoint_url: `http(s)://host[:port]` of the S3 API; without keys also of an account in
            Swift's own API, `http(s)://host[:port]/v1/AUTH_...`.
        is_aws: no endpoint is set, so clients use AWS and find its endpoint by region.
        bucket_name: the bucket.
        access_key_id: the public half of the credentials; None to let the AWS SDKs look for them
            (profile, role of the machine, ...).
        secret_access_key: the secret half; None together with the other.
        session_token: the token of credentials that expire.
        profile: the section of the AWS files with the credentials, if those are used.
        region: to sign with; None to use the AWS configuration.
        addressing_style: bucket in the path, in the host name, or the default: in the host name on
            AWS, in the path elsewhere.
        ca_bundle: PEM file of the certificate authorities to trust instead of the public ones.
        connect_timeout: seconds to establish a connection.
        read_timeout: seconds without an answer after which a request fails.
        retry_seconds: seconds during which a failed request is retried; 0 for never.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    anonymous: bool = False  # the first: what a URL may be depends on it
    endpoint_url: str
    is_aws: bool = False
    bucket_name: str
    access_key_id: str | None = Field(default=None, repr=False)  # people mix the two halves up
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    profile: str | None = None
    region: str | None = None
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    ca_bundle: str | None = None
    connect_timeout: int = Field(default=10, gt=0, le=MAX_TIMEOUT_SECONDS)
    read_timeout: int = Field(default=60, gt=0, le=MAX_TIMEOUT_SECONDS)
    retry_seconds: int = Field(default=120, ge=0, le=MAX_TIMEOUT_SECONDS)

    @field_validator("endpoint_url")
    @classmethod
    def _is_a_url(cls, value: str, info: ValidationInfo) -> str:
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and parts.port != 0
            usable = usable and HOST.fullmatch(parts.hostname or "") is not None
            path = parts.path.removesuffix("/")
            account = path if info.data.get("anonymous") and SWIFT_ACCOUNT.fullmatch(path) else ""
            rest = (path.removeprefix(account), parts.query, parts.fragment)
        except ValueError:
            usable = False
        if not usable or any(rest) or "@" in parts.netloc:
            raise ValueError("is not of the form https://host or https://host:port")
        return f"{parts.scheme}://{parts.netloc.removesuffix(':')}{account}"

    @field_validator("bucket_name")
    @classmethod
    def _is_a_bucket_name(cls, value: str) -> str:
        if not BUCKET_NAME.fullmatch(value):
            raise ValueError(
                "is not a bucket name (3 to 63 of a-z, 0-9, dot and hyphen, "
                "starting and ending with a letter or digit)"
            )
        return value

    @classmethod
    def load(
        cls, project: Project | None = None, environment: Mapping[str, str] | None = None
    ) -> Self:
        """Read the settings from `environment` (default: the process's), then from `.env`.

        Without `OS_*` names it uses an existing AWS configuration: the endpoint and bucket of DVC's
        remote or `AWS_ENDPOINT_URL`, and the credentials that the AWS SDKs find.

        `OS_ANONYMOUS=1` overrides all keys. `allow_anonymous_login` of DVC's default remote has the
        same effect if no key is set.

        Raises:
            SettingsError: a name is missing or its value is invalid; the message names file and
                line.
            ProjectError: no project was given and the current folder is not in one.
        """
        project = project or Project.find()
        sources = Sources(project, environment)
        entries = {field: sources.find(*names) for field, names in NAMES.items()}
        if credentials.is_anonymous(entries, sources):
            credentials.without_keys(entries, sources)
        else:
            credentials.from_aws(entries, sources)
        return cls.checked(entries)

    @classmethod
    def checked(cls, entries: dict[str, Found]) -> Self:
        """The settings from the value of each field, and where it was found.

        Raises:
            SettingsError: as `load`.
        """
        anonymous = entries["anonymous"].value == "1"
        for entry in filter(None, entries.values()):
            rules.check_text(entry)
        credentials.refuse_mixed_up(entries)
        values: dict[str, object] = {
            field: entry.value for field, entry in entries.items() if entry
        }
        if entries["ca_bundle"]:  # as a program sees it that starts in another folder
            values["ca_bundle"] = str(Path(entries["ca_bundle"].value).absolute())
        if not entries["region"] and (entries["access_key_id"] or anonymous):
            values["region"] = DEFAULT_REGION
        if not entries["endpoint_url"]:
            region = values.get("region") or DEFAULT_REGION
            values |= {"endpoint_url": f"https://s3.{region}.amazonaws.com", "is_aws": True}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            fault = _explained(error, entries)
        raise fault  # here, so that it does not carry the other, which holds all values

    @property
    def host(self) -> str:
        """Host name of the endpoint, lower case."""
        return urlsplit(self.endpoint_url).hostname or ""

    @property
    def port(self) -> int:
        """Port of the endpoint; 80 or 443 where the URL names none."""
        parts = urlsplit(self.endpoint_url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def is_embedded(self) -> bool:
        """Whether the endpoint is this machine, where `bucket serve` runs the store."""
        return is_embedded(self.endpoint_url)

    @property
    def is_swift_account(self) -> bool:
        """Whether the endpoint is an account in Swift's own API."""
        return bool(urlsplit(self.endpoint_url).path)

    @property
    def asks_aws(self) -> bool:
        """Whether the AWS SDKs look for the credentials."""
        return not (self.access_key_id or self.anonymous)

    @property
    def where(self) -> str:
        """Store and bucket, for messages."""
        return f"{self.endpoint_url}, bucket {self.bucket_name}"

    def check_may_write(self, what: str) -> None:
        """Return if there are keys.

        Args:
            what: writes to the bucket, as the subject of a sentence.

        Raises:
            SettingsError: there are none.
        """
        if self.anonymous:
            raise SettingsError(
                f"{what} writes to the bucket, but the connection is anonymous and can only read "
                f"({ANONYMOUS}=1, or allow_anonymous_login of DVC's remote). Nothing was sent. Set "
                f"OS_ACCESS_KEY_ID and OS_SECRET_ACCESS_KEY, and unset {ANONYMOUS}."
            )

    def obstore(self) -> "PatientStore":
        """An obstore client of the bucket."""
        from dvc_bucket.connection import clients

        return clients.obstore(self)


def _explained(error: ValidationError, entries: dict[str, Found]) -> SettingsError:
    """The first fault as a sentence: the setting, where it stands, its value but for secrets."""
    first = error.errors(include_input=False)[0]
    field = str(first["loc"][0])
    entry = entries[field]
    reason = first["msg"].removeprefix("Value error, ")
    if field in {"connect_timeout", "read_timeout", "retry_seconds"}:
        least = 0 if field == "retry_seconds" else 1
        reason = f"is not a whole number of seconds from {least} to {MAX_TIMEOUT_SECONDS}"
    return SettingsError(
        f"{entry!r}{rules.shown(entry)} {reason.replace('Input should be', 'should be')}. See "
        ".env.example for the settings and their format."
    )
