"""The connection for programs: variables of the environment they are started in."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.ports import is_this_machine
from dvc_bucket.connection.clients import aws, shared
from dvc_bucket.connection.clients.shared import plain
from dvc_bucket.connection.settings import LOOPBACK, NAMES, Settings
from dvc_bucket.connection.settings.sources import CHECKSUMS, Sources

#: What a program of the environment must not hear from elsewhere when we name the credentials.
FOREIGN: tuple[str, ...] = (
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ENDPOINT_URL_S3",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)

#: Where no key is to be used, programs are given none, and find none either.
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
NO_AWS_SETUP = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

#: Name of the bucket's store for rclone and mc: `rclone ls storage:BUCKET/PREFIX`.
ALIAS = "storage"


def environment(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """The environment `base` with the connection for programs that follow the AWS SDKs' names."""
    ours = aws_environment(settings)
    foreign = FOREIGN if settings.access_key_id else ()
    if settings.anonymous:
        foreign, ours = FOREIGN + KEYS, ours | NO_AWS_SETUP
    return {name: value for name, value in base.items() if name not in foreign} | ours


def aws_environment(settings: Settings) -> dict[str, str]:
    """Variables for DVC, boto3 and every other AWS SDK.

    Source of the names: AWS SDKs and Tools Reference Guide, "Environment variables".
    """
    variables = {
        "AWS_ACCESS_KEY_ID": settings.access_key_id,
        "AWS_SECRET_ACCESS_KEY": plain(settings.secret_access_key),
        "AWS_SESSION_TOKEN": plain(settings.session_token),
        "AWS_PROFILE": aws.profile(settings),
        "AWS_ENDPOINT_URL": shared.named_endpoint(settings),
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_CA_BUNDLE": settings.ca_bundle,
        **CHECKSUMS,
        **_proxy_variables(settings),
    }
    return _set(variables)


def own_names(project: Project, settings: Settings) -> dict[str, str]:
    """Variables for this toolkit in a copy of the project, which has no `.env`.

    Args:
        project: with the `.env` of the settings.
        settings: the connection.
    """
    sources = Sources(project)
    named = {names[0]: sources.find(names[0]).value for names in NAMES.values()}
    if settings.ca_bundle:
        named["OS_CACERT"] = settings.ca_bundle
    return {name: value for name, value in named.items() if value}


def s5cmd_environment(settings: Settings) -> dict[str, str]:
    """Variables that s5cmd takes beside those of the AWS SDKs.

    It always writes the bucket of a store that is not AWS into the path.
    Source of the name: the manual of s5cmd.
    """
    return _set({"S3_ENDPOINT_URL": shared.named_endpoint(settings)})


def rclone_environment(settings: Settings) -> dict[str, str]:
    """Variables that give rclone a remote `storage:`, as `rclone ls storage:BUCKET/PREFIX`.

    Source of the names: the manual of rclone, "Environment Variables" and "Amazon S3".
    """
    options = {
        "TYPE": "s3",
        "PROVIDER": "AWS" if settings.is_aws else "Other",
        "ENDPOINT": shared.named_endpoint(settings),
        "ACCESS_KEY_ID": settings.access_key_id,
        "SECRET_ACCESS_KEY": plain(settings.secret_access_key),
        "SESSION_TOKEN": plain(settings.session_token),
        "ENV_AUTH": "true" if settings.asks_aws else "false",
        "PROFILE": aws.profile(settings),
        "REGION": settings.region,
        "FORCE_PATH_STYLE": "false" if shared.is_virtual(settings) else "true",
    }
    named = {f"RCLONE_CONFIG_{ALIAS.upper()}_{name}": value for name, value in options.items()}
    return _set(named | {"RCLONE_CA_CERT": settings.ca_bundle})


def mc_environment(settings: Settings) -> dict[str, str]:
    """The variable that gives MinIO's `mc` an alias `storage`, as `mc ls storage/BUCKET`.

    Source of the form: mc, cmd/config.go, `parseEnvURLStr`: it splits at the first colons and at
    the last @, and decodes nothing; of `SSL_CERT_FILE`: the manual of Go's crypto/x509.

    Raises:
        SettingsError: the credentials cannot be written that way.
    """
    parts = urlsplit(shared.endpoint(settings))
    if settings.anonymous:
        return _set({f"MC_HOST_{ALIAS}": parts.geturl(), "SSL_CERT_FILE": settings.ca_bundle})
    key, secret = settings.access_key_id, plain(settings.secret_access_key)
    if not key or not secret or ":" in key + secret:
        raise SettingsError(
            "mc reads credentials from MC_HOST_* only if they are set (not from an AWS profile) "
            "and contain no colon. Use `mc alias set`, which asks for them."
        )
    keys = ":".join(filter(None, [key, secret, plain(settings.session_token)]))
    url = urlunsplit(parts._replace(netloc=f"{keys}@{parts.netloc}"))
    return _set({f"MC_HOST_{ALIAS}": url, "SSL_CERT_FILE": settings.ca_bundle})


def _set(variables: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if value is not None}


def _proxy_variables(settings: Settings) -> dict[str, str]:
    """Send requests to the store through the proxy that all clients take, or past every one."""
    if via := shared.proxy(settings):
        name = f"{urlsplit(settings.endpoint_url).scheme}_proxy"
        return {name: via, name.upper(): via}
    if not is_this_machine(settings.host):
        return {}
    names = {os.environ.get(name, "") for name in ("no_proxy", "NO_PROXY")}
    hosts = sorted(LOOPBACK | {settings.host})
    exempt = ",".join(filter(None, [*sorted(names), *hosts]))
    return {"no_proxy": exempt, "NO_PROXY": exempt}
