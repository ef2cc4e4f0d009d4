"""What botocore knows: the AWS files, roles and their credentials, trusted authorities."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.connection.clients.shared import plain
from dvc_bucket.connection.settings import DEFAULT_REGION, Settings
from dvc_bucket.connection.settings.rules import NO_KEYS

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from botocore.session import Session

#: How botocore is told of a session's variable: its name in the AWS configuration file, its name in
#: the environment, its value, a conversion. Source: docstring of botocore.session.Session.
Variable = tuple[None, None, str | None, None]


class Keys(NamedTuple):
    """Credentials of one moment, under botocore's names."""

    access_key: str
    secret_key: str
    token: str | None


def session(settings: Settings) -> "Session":
    """A botocore session.

    Raises:
        SettingsError: there is no such profile.
    """
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    made = Session(session_vars=session_variables(settings), profile=profile(settings))
    try:
        made.get_scoped_config()
    except BotoCoreError as error:  # no such profile, or a file that is no configuration
        fault = _unusable(error)
    else:
        return made
    raise fault


def session_variables(settings: Settings) -> dict[str, Variable]:
    """What a session is not to look up by itself.

    Where the settings hold the credentials, or there are to be none, an `AWS_PROFILE` of the
    environment and the person's own AWS files are for other stores.
    """
    if settings.asks_aws:
        return {}
    return {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }


def profile(settings: Settings) -> str | None:
    """The section of the AWS files to use; None where the settings hold the credentials."""
    return settings.profile if settings.asks_aws else None


def credentials(settings: Settings) -> "Credentials":
    """The credentials for botocore: of the settings, or what the AWS SDKs find by themselves.

    Raises:
        SettingsError: they find nothing, or the profile does not exist.
    """
    from botocore.credentials import Credentials
    from botocore.exceptions import BotoCoreError

    if settings.access_key_id:
        token = plain(settings.session_token)
        return Credentials(settings.access_key_id, plain(settings.secret_access_key), token)
    try:
        resolved = session(settings).get_credentials()
    except BotoCoreError as error:
        fault = _unusable(error)
    else:
        if resolved:
            return resolved
        fault = SettingsError(
            "OS_ACCESS_KEY_ID, OS_SECRET_ACCESS_KEY: not set, and your AWS configuration has no "
            "credentials either. Fill in .env, or log in as your AWS configuration requires. "
            f"{NO_KEYS}"
        )
    raise fault


def provider(settings: Settings) -> Callable[[], Keys]:
    """A function that returns the same credentials as they are when it is called.

    Raises:
        SettingsError: as `credentials`.
    """
    if settings.access_key_id:  # without botocore, whose import takes longer than a small read
        secret, token = plain(settings.secret_access_key), plain(settings.session_token)
        keys = Keys(settings.access_key_id, secret or "", token)
        return lambda: keys
    resolved = credentials(settings)
    return lambda: Keys(*resolved.get_frozen_credentials()[:3])


def region(settings: Settings) -> str:
    """The region to sign with: of the settings, of your AWS configuration, or the default.

    Raises:
        SettingsError: the AWS configuration cannot be used.
    """
    if settings.region:
        return settings.region
    return session(settings).get_config_variable("region") or DEFAULT_REGION


def authorities(settings: Settings) -> str:
    """PEM file of the certificate authorities that DVC trusts: the settings' or certifi's."""
    from botocore.httpsession import get_cert_path

    # botocore's own order: AWS_CA_BUNDLE, which the settings are, then this one.
    return str(get_cert_path(settings.ca_bundle or os.environ.get("REQUESTS_CA_BUNDLE") or True))


def _unusable(error: Exception) -> SettingsError:
    from botocore.exceptions import ProfileNotFound

    if isinstance(error, ProfileNotFound):
        return SettingsError(
            f"{error}. Correct AWS_PROFILE, or add the profile with `aws configure`."
        )
    # What another of its messages says could be a line of the file.
    return SettingsError(
        f"Your AWS configuration cannot be used ({type(error).__name__}). Correct your AWS files, "
        "or log in as they require."
    )
