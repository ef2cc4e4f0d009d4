"""The connection to the bucket: read once, checked once.

The environment wins over `.env`. Nothing else in the project reads an `OS_*` name. How each client
is told the same is in `dvc_bucket.connection.clients`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.ports import is_this_machine
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.settings import rules
from dvc_bucket.connection.settings.sources import RETRY_SECONDS, Found, Sources

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
}

#: The fields of credentials. The AWS SDKs' names serve for all of them together, or for none.
CREDENTIALS = ("access_key_id", "secret_access_key", "session_token")

#: The four that a connection needs.
REQUIRED = ("OS_ENDPOINT_URL", "OS_BUCKET_NAME", "OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY")

#: Stores that are not AWS accept any region, or call theirs this; SDKs insist on one to sign with.
DEFAULT_REGION = "us-east-1"

#: S3 bucket names: 3 to 63 of a-z, 0-9, dot, hyphen; a letter or digit at both ends; no empty part
#: between dots and no IP address.
#: Source: Amazon S3 User Guide, "General purpose bucket naming rules".
BUCKET_NAME = re.compile(r"(?!.*\.\.)(?![0-9.]+\Z)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

#: Host names as DNS has them, or an IPv6 address. Source: RFC 1123, section 2.1.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")

#: Longest timeout that makes sense, in seconds.
MAX_TIMEOUT_SECONDS = 3600

#: Hosts that can only be this machine, as the embedded store listens: IPv4.
LOOPBACK = {"127.0.0.1", "localhost"}


class Settings(BaseModel):
    """Endpoint, bucket and credentials; a secret shows as stars wherever it is printed.

    Attributes:
        endpoint_url: `http(s)://host[:port]` of the S3 API.
        is_aws: nobody named an endpoint, so it is AWS's own, which clients find by region.
        bucket_name: the bucket.
        access_key_id: the public half of the credentials; None where the AWS SDKs are to look for
            them as they always do (profile, role of the machine, ...).
        secret_access_key: the secret half; None together with the other.
        session_token: what goes with credentials that expire.
        profile: the section of the AWS files that holds credentials, where those are to be used.
        region: to sign with; None where the AWS set-up is to say.
        addressing_style: bucket in the path, in the host name, or as the AWS SDKs choose: in the
            path, but on AWS.
        ca_bundle: PEM file of the certificate authorities to trust instead of the public ones.
        connect_timeout: seconds until a connection must stand.
        read_timeout: seconds without an answer after which a request has failed.
        retry_seconds: for which a request is tried again after its first failure; 0 for never.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

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
    def _is_a_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            usable = parts.scheme in {"http", "https"} and parts.port != 0
            usable = usable and HOST.fullmatch(parts.hostname or "") is not None
            rest = (parts.path.removesuffix("/"), parts.query, parts.fragment)
        except ValueError:
            usable = False
        if not usable or any(rest) or "@" in parts.netloc:
            raise ValueError("is not of the form https://host or https://host:port")
        return f"{parts.scheme}://{parts.netloc.removesuffix(':')}"

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

        Where the `OS_*` names are absent, an existing AWS set-up serves: endpoint and bucket are
        those of DVC's remote or `AWS_ENDPOINT_URL`, credentials what the AWS SDKs find.

        Raises:
            SettingsError: a name is missing or its value cannot be right; names file and line.
            ProjectError: no project was given and the current folder is in none.
        """
        project = project or Project.find()
        sources = Sources(project, environment)
        entries = {field: sources.find(*names) for field, names in NAMES.items()}
        _from_aws(entries, sources)
        for entry in filter(None, entries.values()):
            rules.check_text(entry)
        _refuse_mixed_up(entries)
        values: dict[str, object] = {
            field: entry.value for field, entry in entries.items() if entry
        }
        if entries["ca_bundle"]:  # as a program sees it that starts in another folder
            values["ca_bundle"] = str(Path(entries["ca_bundle"].value).absolute())
        if not entries["region"] and entries["access_key_id"]:
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
    def where(self) -> str:
        """Store and bucket, for messages."""
        return f"{self.endpoint_url}, bucket {self.bucket_name}"

    def obstore(self) -> "PatientStore":
        """An obstore client of the bucket."""
        from dvc_bucket.connection import clients

        return clients.obstore(self)


def is_embedded(endpoint_url: str) -> bool:
    """Whether `endpoint_url` is of the form that only the embedded store has.

    It speaks plain http on loopback; https there is a tunnel to a store elsewhere.
    """
    try:
        parts = urlsplit(endpoint_url)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def is_readable_on_the_way(endpoint_url: str) -> bool:
    """Whether the endpoint is another machine, which is spoken to in plain http."""
    parts = urlsplit(endpoint_url)
    return parts.scheme == "http" and not is_this_machine(parts.hostname or "")


def _refuse_mixed_up(entries: dict[str, Found]) -> None:
    """Refuse a secret in the place of the bucket's name, which is shown and sent everywhere.

    Raises:
        SettingsError: they have the same value.
    """
    bucket = entries["bucket_name"]
    for secret in (entries["secret_access_key"], entries["session_token"]):
        if bucket and bucket.value == secret.value:
            raise SettingsError(
                f"{bucket!r} has the value of {secret.name}. Write the name of the bucket there."
            )


def _from_aws(entries: dict[str, Found], sources: Sources) -> None:
    """Fill in from the AWS set-up what no `OS_*` name says.

    Raises:
        SettingsError: something is needed that neither says, or only half of the credentials.
    """
    if not (entries["access_key_id"] or entries["secret_access_key"]):
        for field in CREDENTIALS:
            entries[field] = sources.find(f"AWS_{field.upper()}")
    key, secret, token = (entries[field] for field in CREDENTIALS)
    absent = [entry.name for entry in (key, secret) if not entry]
    if len(absent) == 1:
        raise SettingsError(rules.missing(absent, sources))
    if token.in_environment != secret.in_environment:  # of other credentials
        entries["session_token"] = Found(token.name)
    if key and key.name in REQUIRED:
        if unsaid := _unsaid(entries):
            raise SettingsError(rules.missing(unsaid, sources))
        return
    endpoint = entries["endpoint_url"] or rules.aws_endpoint(sources, sources.project)
    if not _may_have_aws(endpoint, key, sources):
        raise SettingsError(rules.missing([*_unsaid(entries), *REQUIRED[2:]], sources))
    entries["endpoint_url"] = endpoint
    if not entries["bucket_name"]:
        entries["bucket_name"] = Found("url", config.address(sources.project)[0], ".dvc/config")


def _may_have_aws(endpoint: Found, key: Found, sources: Sources) -> bool:
    """Whether `endpoint` may be sent what a person has for AWS; the embedded store may not."""
    if is_embedded(endpoint.value):
        return bool(key) and (endpoint.in_environment or not key.in_environment)
    return bool(key) or rules.is_aws_setup(sources, endpoint)


def _unsaid(entries: dict[str, Found]) -> list[str]:
    """Which of endpoint and bucket no setting says."""
    return [entries[field].name for field in ("endpoint_url", "bucket_name") if not entries[field]]


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
        f"{entry!r}{rules.shown(entry)} {reason.replace('Input should be', 'should be')}. "
        "See .env.example for the settings and their form."
    )
