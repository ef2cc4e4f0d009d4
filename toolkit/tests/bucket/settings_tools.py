"""What the tests of the settings share."""

import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest

from dvc_bucket import Project, Settings
from dvc_bucket.base.errors import SettingsError

GOOD = {
    "OS_ENDPOINT_URL": "https://s3.example.org",
    "OS_BUCKET_NAME": "lab-data",
    "OS_ACCESS_KEY_ID": "key-id-0123",  # pragma: allowlist secret
    "OS_SECRET_ACCESS_KEY": "very+secret/0123=",  # pragma: allowlist secret
}
#: What must not be seen of GOOD and of values that tests put in its place.
HIDDEN = ("very+secret", "key-id-0123", "hush")

AWS_PAIR = {
    "AWS_ACCESS_KEY_ID": "aws-id",
    "AWS_SECRET_ACCESS_KEY": "aws-hush",  # pragma: allowlist secret
}


def write(project: Project, settings: Mapping[str, str]) -> None:
    project.env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def refusal(project: Project, environment: Mapping[str, str]) -> str:
    """The message with which an environment is refused: without a secret, nor a trace of one."""
    with pytest.raises(SettingsError) as caught:
        Settings.load(project, environment)
    told = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in HIDDEN if secret in told + repr(caught.value)]
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
    return str(caught.value)


def aws_files(folder: Path, config: str = "", credentials: str = "") -> dict[str, str]:
    """The variables that name a person's AWS files."""
    named = {"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials}
    for name, text in named.items():
        (folder / name).write_text(text)
    return {name: str(folder / name) for name in named}
