"""Writes the connection and the keys into the text of `.env`; every other line stays."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import env_file
from dvc_bucket.connection.named_files import Names
from dvc_bucket.connection.settings import DEFAULT_REGION, Settings, is_embedded
from dvc_bucket.jobs.init.answers import KEYS, TOKEN

#: Settings that a file need not have, and the AWS SDKs' names by which it passes them on.
OPTIONAL = {
    "OS_REGION": "AWS_DEFAULT_REGION",
    "OS_CACERT": "AWS_CA_BUNDLE",
    TOKEN: "AWS_SESSION_TOKEN",
}


@dataclass(frozen=True)
class EnvText:
    """The text of `.env`.

    Attributes:
        before: as it is; None if there is no file.
        after: as it is going to be.
    """

    before: str | None
    after: str

    @property
    def values(self) -> dict[str, str]:
        """What the new text sets."""
        return _values(self.after)

    def __str__(self) -> str:
        """The names that change, never a value."""
        before, after = _values(self.before or ""), self.values
        names = [name for name in after if name.startswith("OS_")]
        changed = [name for name in names if before.get(name) != after[name]]
        changed += [name for name in before if name.startswith("OS_") and name not in after]
        if not changed and self.before is not None:
            return ".env does not change."
        what = "will be created and set" if self.before is None else "will change"
        text = f".env (never in git; no value is shown) {what}: {', '.join(changed)}."
        if open_ones := [name for name in KEYS if after.get(name, "").startswith("<")]:
            return f"{text} Fill in: {', '.join(open_ones)}."
        return text if set(KEYS) & set(changed) else f"{text} The keys stay."

    def settings(self, project: Project) -> Settings | None:
        """The connection that the new text gives; None where something is still missing in it."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        try:
            return Settings.load(project, others | self.values)
        except SettingsError:
            return None


def rewritten(
    project: Project,
    names: Names,
    keys: Mapping[str, str],
    cacert: Path | None,
    *,
    same_endpoint: bool,
) -> EnvText:
    """The text of `.env` before and after.

    Args:
        project: the clone.
        names: endpoint, bucket and region to write.
        keys: new keys; none to keep those that are there.
        cacert: PEM file of certificate authorities; None to leave that as it is.
        same_endpoint: whether the project's endpoint stays: an embedded store that had to take
            another port in this clone then keeps it.

    Raises:
        ProjectError: `.env` has no line for a setting that everybody needs.
        SettingsError: a value cannot be written there.
    """
    file = project.env_file
    before = file.read_bytes().decode("utf-8") if file.exists() else None
    text, now = before or env_file.example(project), _values(before or "")
    endpoint, here = names.endpoint or "", now.get("OS_ENDPOINT_URL", "")
    if same_endpoint and is_embedded(endpoint) and is_embedded(here):
        endpoint = here
    needed = {"OS_ENDPOINT_URL": endpoint, "OS_BUCKET_NAME": names.bucket or ""}
    needed |= {name: value for name, value in keys.items() if name in KEYS}
    text = env_file.with_values(text, needed, ".env")
    if names.region and names.region != (now.get("OS_REGION") or DEFAULT_REGION):
        text = _with_optional(text, "OS_REGION", names.region)
    if cacert:
        text = _with_optional(text, "OS_CACERT", str(cacert))
    if keys.get(TOKEN):
        text = _with_optional(text, TOKEN, keys[TOKEN])
    elif keys:
        text = _without(text, TOKEN)
    return EnvText(before, text)


def _values(text: str) -> dict[str, str]:
    lines = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in lines.items() if value is not None}


def _with_optional(text: str, name: str, value: str) -> str:
    """`text` with a setting and its AWS name."""
    text = _with_line(text, name, env_file.quoted(value))
    return _with_line(text, OPTIONAL[name], f"${{{name}}}")


def _with_line(text: str, name: str, written: str) -> str:
    """`text` with a line in the place of the one for `name`, else of a commented one, else new."""
    line = f"{name}={written}"
    for mark in ("", "#[ \t]*"):
        pattern = rf"^{mark}(?:export[ \t]+)?{name}=.*$"
        text, count = re.subn(pattern, lambda _: line, text, count=1, flags=re.MULTILINE)
        if count:
            return text
    return f"{text.rstrip()}\n{line}\n"


def _without(text: str, name: str) -> str:
    """`text` with a setting of former keys, and its AWS name, commented out."""
    for each, written in ((name, ""), (OPTIONAL[name], f"${{{name}}}")):
        pattern = rf"^(?:export[ \t]+)?{each}=.*$"
        text = re.sub(pattern, f"#{each}={written}", text, flags=re.MULTILINE)
    return text
