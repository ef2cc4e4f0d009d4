"""Whose credentials count: those of `OS_*`, of an AWS set-up, or none."""

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.settings import rules
from dvc_bucket.connection.settings.endpoints import is_embedded
from dvc_bucket.connection.settings.sources import ANONYMOUS, Found, Sources

#: The fields of credentials. The AWS SDKs' names serve for all of them together, or for none.
CREDENTIALS = ("access_key_id", "secret_access_key", "session_token")

#: The four that a connection needs.
REQUIRED = ("OS_ENDPOINT_URL", "OS_BUCKET_NAME", "OS_ACCESS_KEY_ID", "OS_SECRET_ACCESS_KEY")


def refuse_mixed_up(entries: dict[str, Found]) -> None:
    """Refuse a secret in the place of the bucket's name, which is shown and sent everywhere.

    Raises:
        SettingsError: they have the same value.
    """
    bucket = entries["bucket_name"]
    for secret in (entries["secret_access_key"], entries["session_token"]):
        if bucket and bucket.value == secret.value:
            raise SettingsError(
                f"{bucket!r} has the value of {secret.name}. Set it to the name of the bucket."
            )


def is_anonymous(entries: dict[str, Found], sources: Sources) -> bool:
    """Whether requests are not signed.

    Raises:
        SettingsError: the setting is neither 1 nor 0.
        ProjectError: a file of DVC's configuration cannot be read.
    """
    said = entries["anonymous"]
    if said.value not in {"", "0", "1"}:
        raise SettingsError(f"{said!r} {said.value!r} is neither 1 nor 0. Write {ANONYMOUS}=1.")
    keys = [f"AWS_{field.upper()}" for field in CREDENTIALS]
    has_keys = any(entries[field] for field in (*CREDENTIALS, "profile")) or sources.find(*keys)
    if not said and not has_keys and rules.allows_anonymous(sources.project):
        entries["anonymous"] = Found("allow_anonymous_login", "1", ".dvc/config")
    return entries["anonymous"].value == "1"


def without_keys(entries: dict[str, Found], sources: Sources) -> None:
    """Forget the credentials; take from DVC's remote what no `OS_*` name says.

    Raises:
        ProjectError: `.dvc/config` names no default remote in S3, and something is needed of it.
        SettingsError: as `rules.aws_endpoint`.
    """
    for field in (*CREDENTIALS, "profile"):
        entries[field] = Found(entries[field].name)
    endpoint = entries["endpoint_url"] or rules.aws_endpoint(sources, sources.project)
    entries["endpoint_url"] = endpoint
    if not entries["bucket_name"]:
        entries["bucket_name"] = Found("url", config.address(sources.project)[0], ".dvc/config")
        region = str(config.effective_remote(sources.project).get("region", ""))
        entries["region"] = entries["region"] or Found("region", region, ".dvc/config")


def from_aws(entries: dict[str, Found], sources: Sources) -> None:
    """Add the settings that no `OS_*` name sets, from the AWS configuration.

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
        fault = rules.missing([*_unsaid(entries), *REQUIRED[2:]], sources)
        or_none = "" if is_embedded(endpoint.value) else f" {rules.NO_KEYS}"
        raise SettingsError(fault + or_none)
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
