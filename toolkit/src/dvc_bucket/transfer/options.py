"""The connection that the options of a DVC remote describe, for obstore.

`connection` reads each part where dvc-s3 and botocore read it, in this order:

| part | from |
| --- | --- |
| endpoint | `endpointurl`; `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`; the AWS file; AWS |
| region | `region`; `AWS_DEFAULT_REGION`, `AWS_REGION`; the AWS file |
| keys | the remote; the environment unless the remote names a `profile`; the profile |
| certificates | `ssl_verify`; `AWS_CA_BUNDLE`; the AWS file; `REQUESTS_CA_BUNDLE` |
| encryption | `sse*` |
| timeouts | `connect_timeout`, `read_timeout` |
| retries | `OS_RETRY_SECONDS` |

If an option is set that obstore cannot honour, it raises `NotHonouredError`, and the caller takes
DVC's own client.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError

from dvc_bucket.connection.settings import DEFAULT_REGION, Settings
from dvc_bucket.connection.settings.sources import RETRY_SECONDS

if TYPE_CHECKING:
    from botocore.session import Session

#: Options that become part of the connection.
_CONNECTION = """
    access_key_id allow_anonymous_login configpath connect_timeout credentialpath endpointurl
    profile read_timeout region secret_access_key session_token sse sse_customer_algorithm
    sse_customer_key sse_kms_key_id ssl_verify use_ssl
"""
CONNECTION = frozenset(_CONNECTION.split())

#: Options that DVC itself or nothing acts on, and parts of the URL beside the path.
_ELSEWHERE = "cache_regions checksum_jobs host jobs listobjects no_traverse tmp_dir url verify"
ELSEWHERE = frozenset(_ELSEWHERE.split())

#: Settings of the `s3` section of an AWS file that obstore has no word for.
AWS_FILE_ONLY = ("use_accelerate_endpoint", "use_dualstack_endpoint")

#: The one algorithm for keys of the customer's own.
CUSTOMER_ALGORITHM = "AES256"

#: Settings of the same name.
TIMEOUTS = ("connect_timeout", "read_timeout")

TRUE = {"true", "1", "yes"}


class NotHonouredError(Exception):
    """The connection needs a feature that only DVC's own client has; the message names it."""


@dataclass(frozen=True)
class Connection:
    """The arguments of an obstore client.

    Attributes:
        settings: endpoint, bucket, credentials, timeouts.
        store: options of obstore's S3Store beside those.
        client: its `client_options` beside those.
    """

    settings: Settings
    store: Mapping[str, Any] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)


def connection(
    config: Mapping[str, Any], bucket: str, environment: Mapping[str, str] = os.environ
) -> Connection:
    """The connection to `bucket` with the options `config` of a DVC remote.

    Raises:
        NotHonouredError: an option has a value that obstore cannot honour, or that is impossible.
    """
    for option in sorted(config.keys() - CONNECTION - ELSEWHERE):
        if config[option]:
            raise NotHonouredError(f"the option {option} of the remote")
    given = {option: config[option] for option in CONNECTION if config.get(option) is not None}
    aws = _AwsSetup(given, environment)
    values = {"bucket_name": bucket, **_endpoint(given, aws), **_credentials(given, environment)}
    values |= {name: given[name] for name in TIMEOUTS if name in given}
    if seconds := environment.get(RETRY_SECONDS):
        values["retry_seconds"] = seconds
    client: dict[str, Any] = {}
    verify = given.get("ssl_verify", aws.ca_bundle)
    if isinstance(verify, str):
        values["ca_bundle"] = verify
    elif verify is False:
        client["allow_invalid_certificates"] = True
    store = _encryption(given)
    try:
        return Connection(Settings.model_validate(values), store, client)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise NotHonouredError(f"this {name.replace('_', ' ')}") from None


def _endpoint(given: Mapping[str, Any], aws: "_AwsSetup") -> dict[str, Any]:
    """Where the store is, and how it is addressed."""
    region, url = given.get("region") or aws.region, given.get("endpointurl") or aws.endpoint
    values = {"addressing_style": aws.addressing_style, "region": region or DEFAULT_REGION}
    if url:
        return values | {"endpoint_url": url}
    if not region:
        raise NotHonouredError("AWS without a region")
    host = f"s3.{region}.amazonaws.com"
    if given.get("use_ssl", True):
        return values | {"endpoint_url": f"https://{host}", "is_aws": True}
    return values | {"endpoint_url": f"http://{host}", "addressing_style": "virtual"}


def _credentials(given: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The keys: of the remote, then, unless that names a profile, of the environment."""
    if given.get("allow_anonymous_login"):
        return {"anonymous": True}
    keys = [given.get(name) for name in ("access_key_id", "secret_access_key", "session_token")]
    if bool(keys[0]) != bool(keys[1]):
        raise NotHonouredError("incomplete credentials in the options of the remote")
    if not keys[0] and not given.get("profile"):
        keys = [environment.get(f"AWS_{name}") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")]
        keys += [environment.get("AWS_SESSION_TOKEN") or environment.get("AWS_SECURITY_TOKEN")]
    if keys[0] and keys[1]:
        key, *secrets = keys
        secret, token = (SecretStr(text) if text else None for text in secrets)
        return {"access_key_id": key, "secret_access_key": secret, "session_token": token}
    return {"profile": given.get("profile")}


def _encryption(given: Mapping[str, Any]) -> dict[str, Any]:
    """Encryption at rest, in obstore's words."""
    kind, kms = given.get("sse"), given.get("sse_kms_key_id")
    own, algorithm = given.get("sse_customer_key"), given.get("sse_customer_algorithm")
    if own and (kms or kind):
        raise NotHonouredError("several kinds of sse_* options")
    if (kms and kind not in {"aws:kms", "aws:kms:dsse"}) or (algorithm and not own):
        raise NotHonouredError("incomplete sse_* options")
    if own:
        if (algorithm or CUSTOMER_ALGORITHM) != CUSTOMER_ALGORITHM:
            raise NotHonouredError("this sse_customer_algorithm")
        return {"server_side_encryption": "sse-c", "sse_customer_key_base64": own}
    if kind not in {None, "AES256", "aws:kms", "aws:kms:dsse"}:
        raise NotHonouredError("this sse")
    options = {"server_side_encryption": kind, "sse_kms_key_id": kms}
    return {name: value for name, value in options.items() if value}


class _AwsSetup:
    """Variables and files of the AWS SDKs, read as dvc-s3 and botocore read them.

    botocore, which takes a while to load, is imported only if there is a file.
    """

    def __init__(self, given: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        # As dvc-s3 does: for botocore, which provides credentials later, too.
        if given.get("credentialpath"):
            os.environ.setdefault("AWS_SHARED_CREDENTIALS_FILE", given["credentialpath"])
        if given.get("configpath"):
            os.environ.setdefault("AWS_CONFIG_FILE", given["configpath"])
        self._environment = environment
        self._section: Mapping[str, Any] = {}
        self._s3: Mapping[str, Any] = {}
        self._session: Session | None = None
        default = Path("~/.aws/config")
        path = Path(os.environ.get("AWS_CONFIG_FILE") or default).expanduser()
        if path.exists():
            self._read(given.get("profile"))

    def _read(self, profile: str | None) -> None:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session

        self._session = Session(profile=profile)
        try:
            self._section = self._session.get_scoped_config()
            profiles = self._session.full_config.get("profiles", {})
        except BotoCoreError as error:
            raise NotHonouredError(f"an unreadable AWS configuration ({error})") from None
        # dvc-s3 itself reads the s3 section of `default` where the remote names no profile.
        self._s3 = profiles.get(profile or "default", {}).get("s3") or self._section.get("s3") or {}
        for name in AWS_FILE_ONLY:
            if str(self._s3.get(name, "")).lower() in TRUE:
                raise NotHonouredError(f"{name} of the AWS configuration")

    @property
    def addressing_style(self) -> str:
        return str(self._s3.get("addressing_style", "auto"))

    @property
    def region(self) -> str | None:
        """For botocore `AWS_DEFAULT_REGION`; dvc-s3 lets `AWS_REGION` count, too."""
        return self._variable("AWS_DEFAULT_REGION", "AWS_REGION") or self._section.get("region")

    @property
    def endpoint(self) -> str | None:
        if self._environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() in TRUE:
            return None
        variable = self._variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        if variable or not self._session:
            return variable
        from botocore.configprovider import ConfiguredEndpointProvider

        provider = ConfiguredEndpointProvider(self._session.full_config, self._section, "s3")
        url: str | None = provider.provide()
        return url

    @property
    def ca_bundle(self) -> str | None:
        given = self._variable("AWS_CA_BUNDLE") or self._section.get("ca_bundle")
        return given or self._variable("REQUESTS_CA_BUNDLE")

    def _variable(self, *names: str) -> str | None:
        """The first variable of the environment that is set."""
        return next(filter(None, map(self._environment.get, names)), None)
