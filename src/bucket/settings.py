"""The connection to the bucket: read once, checked once, mapped here to every client's own names.

The environment wins over `.env`. Nothing else in the project reads an `OS_*` name.
"""

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_validator

from bucket.errors import SettingsError
from bucket.paths import Project

if TYPE_CHECKING:
    from obstore.store import S3Store

#: The four names a user sets, and the field that each one fills.
NAMES = {
    "OS_ENDPOINT_URL": "endpoint_url",
    "OS_BUCKET_NAME": "bucket_name",
    "OS_ACCESS_KEY_ID": "access_key_id",
    "OS_SECRET_ACCESS_KEY": "secret_access_key",
}

#: S3 bucket names: 3 to 63 of a-z, 0-9, dot, hyphen; a letter or digit at both ends.
#: Source: Amazon S3 User Guide, "General purpose bucket naming rules".
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

#: Stores that are not AWS accept any region; SDKs insist on one to sign with.
DEFAULT_REGION = "us-east-1"

#: Hosts that can only be this machine, as the embedded store listens: IPv4.
LOOPBACK = {"127.0.0.1", "localhost"}


class Settings(BaseModel):
    """Endpoint, bucket and credentials; the secret shows as stars wherever it is printed.

    Attributes:
        endpoint_url: `http(s)://host[:port]` of the S3 API.
        bucket_name: the bucket.
        access_key_id: the public half of the credentials.
        secret_access_key: the secret half.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    endpoint_url: str
    bucket_name: str
    access_key_id: str
    secret_access_key: SecretStr

    @field_validator("endpoint_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            host = re.fullmatch(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:]+", parts.hostname or "")
            usable = parts.scheme in {"http", "https"} and host is not None
            usable = usable and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        if not usable or parts.path not in {"", "/"} or parts.query or parts.username:
            raise ValueError("is not of the form https://host or https://host:port")
        return value.rstrip("/")

    @field_validator("bucket_name")
    @classmethod
    def _is_a_bucket_name(cls, value: str) -> str:
        if not BUCKET_NAME.fullmatch(value):
            raise ValueError(
                "is not a bucket name (3 to 63 of a-z, 0-9, dot and hyphen, "
                "starting and ending with a letter or digit)"
            )
        return value

    @field_validator("access_key_id", "secret_access_key")
    @classmethod
    def _is_filled_in(cls, value: str | SecretStr) -> str | SecretStr:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not text or text.startswith("<"):
            raise ValueError("is not filled in")
        return value

    @classmethod
    def load(
        cls, project: Project | None = None, environment: Mapping[str, str] | None = None
    ) -> Self:
        """Read the settings from `environment` (default: the process's), then from `.env`.

        Raises:
            SettingsError: a name is missing or its value cannot be right.
            ProjectError: no project was given and the current folder is in none.
        """
        project = project or Project.find()
        environment = os.environ if environment is None else environment
        from_file = dotenv_values(project.env_file) if project.env_file.is_file() else {}
        values, origins = {}, {}
        for name, field in NAMES.items():
            in_environment = environment.get(name, "")
            value = in_environment or from_file.get(name) or ""
            origins[field] = f"{name} ({'environment' if in_environment else '.env'})"
            if value:
                values[field] = value
        missing = [name for name, field in NAMES.items() if field not in values]
        if missing:
            raise SettingsError(_missing(missing, project))
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            found = "" if "key" in str(first["loc"][0]) else f" {values[str(first['loc'][0])]!r}"
            reason = first["msg"].removeprefix("Value error, ")
            raise SettingsError(
                f"{origins[str(first['loc'][0])]}{found} {reason}. "
                "See data/README.md for this project's endpoint, bucket and credentials."
            ) from None

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

    def aws_environment(self) -> dict[str, str]:
        """Environment variables for DVC, boto3 and every other AWS SDK.

        The two checksum settings keep botocore >= 1.36 from sending CRC trailers that several
        stores refuse or, worse, store inside the object.
        """
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key.get_secret_value(),
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": DEFAULT_REGION,
            "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
            "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
            **self._proxy_exception(),
        }

    def _proxy_exception(self) -> dict[str, str]:
        """Keep requests to this machine off the proxy that clusters like to set."""
        if not self.is_embedded:
            return {}
        names = {os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")}
        exempt = ",".join(filter(None, [*sorted(names), *sorted(LOOPBACK)]))
        return {"no_proxy": exempt, "NO_PROXY": exempt}

    def obstore_options(self) -> dict[str, Any]:
        """Keyword arguments of `obstore.store.S3Store`: timeouts and bounded retries included."""
        from datetime import timedelta

        client: dict[str, Any] = {
            "allow_http": self.endpoint_url.startswith("http://"),
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(seconds=60),
        }
        proxy = os.environ.get("http_proxy") or os.environ.get("HTTP_PROXY")
        if proxy and self.is_embedded:
            client |= {"proxy_url": proxy, "proxy_excludes": ",".join(sorted(LOOPBACK))}
        return {
            "bucket": self.bucket_name,
            "endpoint": self.endpoint_url,
            "region": DEFAULT_REGION,
            "access_key_id": self.access_key_id,
            "secret_access_key": self.secret_access_key.get_secret_value(),
            "virtual_hosted_style_request": False,
            "client_options": client,
            "retry_config": {"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        }

    def obstore(self) -> "S3Store":
        """An obstore client of the bucket."""
        from obstore.store import S3Store

        return S3Store(**self.obstore_options())


def is_embedded(endpoint_url: str) -> bool:
    """Whether `endpoint_url` is of the form that only the embedded store has.

    It speaks plain http on loopback; https there is a tunnel to a store elsewhere.
    """
    try:
        parts = urlsplit(endpoint_url)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def effective(
    name: str, project: Project, environment: Mapping[str, str] | None = None
) -> tuple[str, str]:
    """The value of one `OS_*` name, unchecked, and where it comes from.

    The environment, then `.env`, then, where there is no `.env` yet, `.env.example`, which
    `bucket serve` would make it from. The value is empty if none of them sets it.
    """
    environment = os.environ if environment is None else environment
    if environment.get(name):
        return environment[name], "the environment"
    file = project.env_file if project.env_file.is_file() else project.env_example
    value = dotenv_values(file).get(name) if file.is_file() else None
    return value or "", file.name


def _missing(names: list[str], project: Project) -> str:
    """The sentence for settings that are nowhere to be found."""
    what = ", ".join(names)
    if project.env_file.is_file():
        return f"{what}: not set in the environment nor in .env. Fill in .env (see data/README.md)."
    return (
        f"{what}: not set, and there is no .env. Run `make serve` for the embedded store, or "
        "`cp .env.example .env`, `chmod 600 .env` and fill it in (see data/README.md)."
    )
