"""`.env`, the git-ignored file of settings: read with file and line, written private and whole.

Four kinds of program read it: `bucket` and `dotenv run` (python-dotenv), `uv run`, a shell with
`set -a; . ./.env`. What they read alike is accepted; what one of them would read as something
else, or fail on, is refused with its line (see `dvc_bucket.connection.env_file.lines`).
"""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from dvc_bucket.base.errors import ProjectError, SettingsError
from dvc_bucket.base.files import write_private, write_whole
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config
from dvc_bucket.connection.env_file import lines
from dvc_bucket.connection.env_file.lines import Line


def read(path: Path, environment: Mapping[str, str] | None = None) -> dict[str, Line]:
    """The settings in `path`, by name; nothing if there is no such file.

    Args:
        path: of the file.
        environment: instead of the process's, for references to what the file does not set.

    Raises:
        SettingsError: the file cannot be read, or a line means different things to different
            programs.
    """
    environment = os.environ if environment is None else environment
    return lines.read(_text(path), path.name, environment)


def create_env(project: Project) -> None:
    """Make `.env` from `.env.example`, with credentials drawn for this clone alone.

    Endpoint and bucket are those of `.dvc/config`.

    Raises:
        ProjectError: there is no `.env.example`, or it lacks a name; or `.dvc/config` names no
            default remote.
    """
    remote = dvc_config.default_remote(project)
    bucket, _ = dvc_config.split(str(remote.get("url", "")))
    place = {"OS_ENDPOINT_URL": str(remote.get("endpointurl", "")), "OS_BUCKET_NAME": bucket}
    text = with_values(example(project), place | new_keys(), project.env_example.name)
    write_private(project.env_file, text)


def new_keys() -> dict[str, str]:
    """Credentials for an embedded store, drawn now."""
    # Hexadecimal: nothing in it needs quoting in a shell, a URL or JSON.
    return {
        "OS_ACCESS_KEY_ID": secrets.token_hex(10),
        "OS_SECRET_ACCESS_KEY": secrets.token_hex(20),
    }


def example(project: Project) -> str:
    """The text of `.env.example`.

    Raises:
        ProjectError: there is none.
    """
    try:
        return project.env_example.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProjectError(
            f"{project.env_example} is missing; .env is made from it. Restore it with `git "
            "checkout .env.example`."
        ) from None


def set_endpoint(project: Project, endpoint_url: str) -> None:
    """Change `OS_ENDPOINT_URL` in `.env`, and nothing else in it.

    Raises:
        ProjectError: `.env` does not set the name.
    """
    # Bytes decoded as they are: no line end is translated.
    text = project.env_file.read_bytes().decode("utf-8")
    text = with_values(text, {"OS_ENDPOINT_URL": endpoint_url}, project.env_file.name)
    write_whole(project.env_file, text)


def with_values(text: str, values: Mapping[str, str], file: str) -> str:
    """`text` of a dotenv file with the values of some names replaced.

    Raises:
        ProjectError: a name has no line in the text, which `file` names.
    """
    for name, value in values.items():
        line = re.compile(rf"^([ \t]*(?:export[ \t]+)?{name}[ \t]*=)[^\r\n]*", re.MULTILINE)
        # A backslash in the replacement would mean a group.
        text, count = line.subn(r"\g<1>" + quoted(value).replace("\\", r"\\"), text)
        if not count:
            raise ProjectError(f"{file} has no line {name}=... Add it and run the command again.")
    return text


def quoted(value: str) -> str:
    """A value as it is written in the file: bare where that is safe, else in quotes.

    Raises:
        SettingsError: no way of writing it is read alike by every program.
    """
    escaped = re.sub(r'([\\"])', r"\\\1", value)
    for written in (value, f"'{value}'", f'"{escaped}"'):
        if _is_read_as(written, value) and "\n" not in value:
            return written
    raise SettingsError(
        "This value cannot be written in .env so that every program reads the same: it has a line "
        "break, or $ or ` together with ' or \\. Create a new key, or set it in the environment."
    )


def _is_read_as(written: str, value: str) -> bool:
    line = f"OS_={written}"
    try:
        return lines.is_portable(line) and lines.read(line, "", {})["OS_"].value == value
    except SettingsError:  # more than one line
        return False


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise SettingsError(_unreadable(path, error)) from None
    if re.search("[\0\udc80-\udcff]", text):  # zero bytes; bytes that are no UTF-8
        raise SettingsError(
            f"{path.name} is not UTF-8 text; an editor saved it as UTF-16 or Latin-1. "
            "Save it again as UTF-8."
        )
    if text.startswith("\ufeff"):
        raise SettingsError(
            f"{path.name}, line 1 begins with a byte order mark, which a shell takes as part of "
            "the first name. Save the file as UTF-8 without it."
        )
    return text


def _unreadable(path: Path, error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder, not a file. Remove it: `rmdir {path.name}`."
    if isinstance(error, PermissionError):
        return (
            f"You cannot read {path}. Become its owner: `chown $USER {path.name}` and `chmod 600 "
            f"{path.name}`."
        )
    return f"{path} cannot be read ({error.strerror})."
