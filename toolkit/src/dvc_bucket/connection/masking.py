"""Text for a person without the credentials of the environment and of `.env`."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project

#: Settings whose value is never shown.
SECRET = {
    f"{who}_{what}"
    for who in ("OS", "AWS")
    for what in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")
}

#: What follows the prefix and `_OS_` in the names of those of other projects.
OF_OTHERS = {name.removeprefix("OS_") for name in SECRET if name.startswith("OS_")}

#: Shorter values could be a part of any word.
SHORTEST = 8


def masked(text: str) -> str:
    """`text` with stars in the place of each credential that this person has here."""
    return without(text, secrets())


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` with stars in the place of each of the secrets."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def secrets() -> list[str]:
    """The credentials that this person has here, as they are written; longer ones come first."""
    values = sorted(set(_values()), key=len, reverse=True)
    long = [value for value in values if len(value) >= SHORTEST and not value.startswith("<")]
    return [written for value in long for written in (value, quote(value, safe=""))]


def _values() -> Iterator[str]:
    from dotenv import dotenv_values

    file: dict[str, str | None] = {}
    with contextlib.suppress(ProjectError, OSError, UnicodeDecodeError):  # then it holds none
        file = dotenv_values(Project.find().env_file)
    for values in (os.environ, file):  # the keys of other projects have a prefix: OTHER_OS_...
        for name, value in values.items():
            if value and (name in SECRET or name.partition("_OS_")[2] in OF_OTHERS):
                yield value
