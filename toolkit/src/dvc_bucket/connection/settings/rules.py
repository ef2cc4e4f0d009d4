"""Faults that a setting can have whatever it is for, each as one sentence without the value."""

import re
import unicodedata
from pathlib import Path

from dvc_bucket.base.errors import ProjectError, SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.masking import SECRET
from dvc_bucket.connection.settings.sources import ANONYMOUS, Found, Sources

#: Settings that name a file of certificates, which a fault of theirs names already.
FILES = {"OS_CACERT", "AWS_CA_BUNDLE"}

#: Names of the setting whose line is next to those of the keys: a key may have been pasted there.
BUCKET = {"OS_BUCKET_NAME", "Bucket"}

#: What a key or a token looks like; a URL has a colon, and a host mostly a short part.
LIKE_A_KEY = re.compile(r"[A-Za-z0-9+/=_-]{16,}(?:\.[A-Za-z0-9_-]{16,})*")

#: Names by which the AWS SDKs are told where credentials are, but for the keys themselves; only
#: the environment tells them. Source: AWS SDKs and Tools Reference Guide, "Standardized credential
#: providers".
AWS_CREDENTIALS = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)

#: The same guide, "Shared config and credentials files": names of the two, and where they are.
AWS_PROFILE = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
AWS_CONFIG_FILE = "AWS_CONFIG_FILE"
AWS_CREDENTIALS_FILE = "AWS_SHARED_CREDENTIALS_FILE"
AWS_FILES = {AWS_CONFIG_FILE: "~/.aws/config", AWS_CREDENTIALS_FILE: "~/.aws/credentials"}

#: What to do without keys.
NO_KEYS = f"Public data needs no keys: set {ANONYMOUS}=1."


def check_text(entry: Found) -> None:
    """Refuse a value that was copied badly, or never filled in.

    Raises:
        SettingsError: it is a placeholder, quoted twice, has white space or characters beyond
            ASCII, or names a file that holds no certificate.
    """
    value, is_file = entry.value, entry.name in FILES
    if re.fullmatch(r"<.*>", value) or "your-institution" in value:
        fault, fix = "is not filled in", "Fill it in (see .env.example)"
    elif value != value.strip():
        fault = "begins or ends with white space or a line break"
        fix = "Remove it; pasted values often contain one"
    elif value[0] == value[-1] and value[0] in "'\"":
        fault, fix = "is in quotes, which are part of the value here", "Remove them"
    elif is_file:
        fault, fix = _fault_of_file(value, entry), "Correct the path"
    elif strange := next((c for c in value if not (c.isascii() and c.isprintable())), None):
        name = unicodedata.name(strange, "a control character")
        fault = f"contains the character U+{ord(strange):04X} ({name})"
        fix = "Type it again, or copy it as plain text"
    elif " " in value:
        fault, fix = "contains a space", "Remove it"
    else:
        return
    if fault:
        raise SettingsError(f"{entry!r}{shown(entry)} {fault}. {fix}.")


def shown(entry: Found) -> str:
    """A value as it can be shown between the name of its setting and the fault.

    A key that was typed in the place of another setting is not; nor is the password or signature
    that a URL can hold.
    """
    if entry.name in SECRET | FILES:
        return ""
    if entry.name in BUCKET or LIKE_A_KEY.fullmatch(entry.value):
        return f" has {len(entry.value)} characters (not shown) and"
    value = re.sub(r"//[^/]*@", "//***@", entry.value)
    value = re.sub(r"\?.+", "?***", value, flags=re.DOTALL)
    return f" {value!r}"


def _fault_of_file(value: str, entry: Found) -> str:
    """What is wrong with a file of certificates, empty if nothing."""
    path = Path(value)
    if not (path.is_absolute() or entry.in_environment):
        return f"names {value}, which is not an absolute path; programs start in other folders"
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"names {value}, which cannot be read ({error.strerror})"
    if b"-----BEGIN CERTIFICATE-----" in content or b"-----BEGIN TRUSTED" in content:
        return ""
    return f"names {value}, which contains no certificate in PEM format"


def is_aws_setup(sources: Sources, endpoint: Found) -> bool:
    """Whether the AWS SDKs would find credentials without us.

    Nothing tells that a machine has a role; without any other sign it is believed of AWS's own
    endpoint only.
    """
    if sources.find(*AWS_PROFILE) or any(map(sources.environment.get, AWS_CREDENTIALS)):
        return True
    if any(_aws_file(sources, name).is_file() for name in AWS_FILES):
        return True
    return not endpoint or ".amazonaws.com" in endpoint.value


def aws_endpoint(sources: Sources, project: Project) -> Found:
    """The endpoint of DVC or of an AWS set-up, where no `OS_*` name says one.

    Raises:
        ProjectError: `.dvc/config` names no default remote, or cannot be read.
        SettingsError: the AWS configuration cannot be read.
    """
    if setting := sources.find("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
        return setting
    remote = config.effective_remote(project)
    if url := remote.get("endpointurl"):
        name, _ = config.chosen_remote(project)
        tracked = config.read(project.dvc_config).get(f'remote "{name}"', {})
        is_tracked = tracked.get("endpointurl") == url
        return Found("endpointurl", url, ".dvc/config" if is_tracked else ".dvc/config.local")
    return profile_endpoint(sources)


def profile_endpoint(sources: Sources, name: str = "") -> Found:
    """What the AWS configuration file says of the endpoint.

    Args:
        sources: the places that settings are read from.
        name: of the profile; empty for that of the person.

    Raises:
        SettingsError: it cannot be read.

    Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
    """
    path = _aws_file(sources, AWS_CONFIG_FILE)
    if not path.is_file():
        return Found("endpoint_url")
    from botocore.configloader import load_config
    from botocore.configprovider import ConfiguredEndpointProvider
    from botocore.exceptions import BotoCoreError

    try:
        content = load_config(str(path))
    except BotoCoreError:
        content = None
    if content is None:  # here, so that the error does not carry that one, which quotes the file
        raise SettingsError(f"{path} is not a valid AWS configuration file. Correct it.")
    profile = content["profiles"].get(name or sources.find(*AWS_PROFILE).value or "default", {})
    url = ConfiguredEndpointProvider(content, profile, "s3", environ={}).provide()
    return Found("endpoint_url", url or "", str(path))


def _aws_file(sources: Sources, name: str) -> Path:
    """One of the two files. Only the environment names another: a file can start programs."""
    return Path(sources.environment.get(name) or AWS_FILES[name]).expanduser()


def allows_anonymous(project: Project) -> bool:
    """Whether a file of DVC's configuration lets the default remote be read without keys.

    That of this clone says `false` while keys are set (`overrides`), which makes no difference.

    Raises:
        ProjectError: one of the files cannot be read.
    """
    try:
        name, _ = config.chosen_remote(project)
    except ProjectError:  # where it matters, the error says more
        return False
    sections = (config.read(file).get(f'remote "{name}"', {}) for file in config.files(project))
    return any(config.is_true(section.get(config.ANONYMOUS)) for section in sections)


def missing(names: list[str], sources: Sources) -> str:
    """The sentence for settings that are nowhere to be found."""
    what = ", ".join(names)
    for setting in map(sources.find, map(str.lower, names)):
        if setting:
            return f"{what}: not set, but {setting!r} is. Write the name in capitals."
    if sources.project.env_file.is_file():
        return f"{what}: not set in the environment or in .env. Fill in .env (see .env.example)."
    return (
        f"{what}: not set, and there is no .env. Run `make serve` for the embedded store, or "
        "`bucket init` for a bucket of your own (see .env.example)."
    )
