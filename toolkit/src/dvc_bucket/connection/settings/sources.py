"""Where the value of a setting comes from: the environment, then `.env`; with its file and line."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dvc_bucket.base.paths import Project
from dvc_bucket.connection import env_file
from dvc_bucket.connection.env_file.lines import OF_OTHERS, Line
from dvc_bucket.connection.settings import trust

ENVIRONMENT = "environment"

#: The one name of ours that DVC's process is told, as no option of a DVC remote has its meaning.
RETRY_SECONDS = "OS_RETRY_SECONDS"

#: Set to 1, data that anybody may read is read without keys.
ANONYMOUS = "OS_ANONYMOUS"

#: Our names that `.env` repeats for DVC and the AWS SDKs, with theirs.
AWS_NAMES = {
    "OS_ACCESS_KEY_ID": "AWS_ACCESS_KEY_ID",
    "OS_SECRET_ACCESS_KEY": "AWS_SECRET_ACCESS_KEY",
    "OS_ENDPOINT_URL": "AWS_ENDPOINT_URL",
    "OS_REGION": "AWS_DEFAULT_REGION",
    "OS_CACERT": "AWS_CA_BUNDLE",
    "OS_SESSION_TOKEN": "AWS_SESSION_TOKEN",
}

#: Checksums only where S3 requires them: botocore >= 1.36 sends CRC trailers by default, which
#: several stores refuse and one stored inside the object.
CHECKSUMS = {
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
}

#: The names that are read from `.env`: those of `.env.example`. Others are for other programs.
DOCUMENTED = {
    "OS_BUCKET_NAME",
    "OS_ADDRESSING_STYLE",
    ANONYMOUS,
    "OS_CONNECT_TIMEOUT",
    "OS_READ_TIMEOUT",
    RETRY_SECONDS,
    "AWS_PROFILE",
    *AWS_NAMES,
    *AWS_NAMES.values(),
    *CHECKSUMS,
}


@dataclass(frozen=True)
class Found:
    """A value and where it was found.

    Attributes:
        name: of the setting, such as `OS_BUCKET_NAME`.
        value: as found, unchecked; empty if nothing sets it.
        origin: `environment`, `.env, line 4`, `.dvc/config`, or empty.
    """

    name: str
    value: str = ""
    origin: str = ""

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        """Without the value, which can be a secret."""
        return f"{self.name} ({self.origin or 'not set'})"

    @property
    def in_environment(self) -> bool:
        """Whether the environment sets it, which wins over every file."""
        return self.origin == ENVIRONMENT


class Sources:
    """The places that a project's settings are read from.

    Args:
        project: the clone.
        environment: instead of the process's.
    """

    def __init__(self, project: Project, environment: Mapping[str, str] | None = None) -> None:
        self.project = project
        self.environment = os.environ if environment is None else environment
        self.file = project.env_file

    def find(self, *names: str) -> Found:
        """The first of `names` that is set and not empty; the environment before the file.

        Raises:
            SettingsError: `.env` cannot be read or trusted, or has a line that programs read
                differently.
        """
        for name in names:
            if value := self.environment.get(name):
                return Found(name, value, ENVIRONMENT)
            line = self._lines.get(name)
            if line and line.value:
                return Found(name, line.value, f"{self.file.name}, line {line.number}")
        return Found(names[0])

    @cached_property
    def _lines(self) -> dict[str, Line]:
        trust.check(self.project)
        lines = env_file.read(self.file, self.environment)
        # In small letters, too: what misses a name reports those.
        return {
            name: line
            for name, line in lines.items()
            if name.upper() in DOCUMENTED or OF_OTHERS.fullmatch(name)
        }
