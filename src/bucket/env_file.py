"""The git-ignored files that say where the store is: `.env`, and DVC's `config.local`."""

import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bucket.errors import ProjectError
from bucket.files import replacing
from bucket.paths import Project

if TYPE_CHECKING:
    from configobj import ConfigObj, Section

#: For files that hold secrets, or lie beside them: nobody but the owner.
PRIVATE = 0o600


def write_private(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Write `path` in one step: no reader sees half of it, or it with a wider mode."""
    with replacing(path, mode) as file:
        file.write(text.encode())


def create_env(project: Project) -> None:
    """Make `.env` from `.env.example`, with credentials drawn for this clone alone.

    Raises:
        ProjectError: there is no `.env.example`, or it lacks a name.
    """
    try:
        text = project.env_example.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ProjectError(
            f"{project.env_example} is missing, and .env is made from it. "
            "Restore it with `git checkout .env.example`."
        ) from None
    # Hexadecimal: nothing in it needs quoting in a shell, a URL or JSON.
    new = {"OS_ACCESS_KEY_ID": secrets.token_hex(10), "OS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
    write_private(project.env_file, _with_values(text, new, project.env_example.name))


def set_endpoint(project: Project, endpoint_url: str) -> None:
    """Change `OS_ENDPOINT_URL` in `.env`, and nothing else in it.

    Raises:
        ProjectError: `.env` does not set the name.
    """
    # Bytes decoded as they are: no line end is translated.
    text = project.env_file.read_bytes().decode("utf-8")
    text = _with_values(text, {"OS_ENDPOINT_URL": endpoint_url}, project.env_file.name)
    write_private(project.env_file, text, project.env_file.stat().st_mode & 0o777)


def _with_values(text: str, values: Mapping[str, str], file: str) -> str:
    """`text` of a dotenv file with the values of some names replaced."""
    for name, value in values.items():
        line = re.compile(rf"^((?:export[ \t]+)?{name}[ \t]*=)[^\r\n]*", re.MULTILINE)
        text, found = line.subn(rf"\g<1>{value}", text)
        if not found:
            raise ProjectError(f"{file} has no line {name}=... Add it and run the command again.")
    return text


def point_dvc_at(project: Project, endpoint_url: str) -> None:
    """Have plain `dvc` commands of this clone use `endpoint_url`.

    Where that is not what the tracked `.dvc/config` says, `.dvc/config.local` gets an override;
    where it is, an override of before is taken out. Everything else in the file stays.

    Raises:
        ProjectError: `.dvc/config` names no default remote.
    """
    tracked, path = default_remote(project), project.dvc_config_local
    section = tracked.name
    overrides = _config(path)
    before = overrides.get(section, {}).get("endpointurl")
    wanted = None if tracked.get("endpointurl") == endpoint_url else endpoint_url
    if before == wanted:
        return
    if wanted is None:
        del overrides[section]["endpointurl"]
        if not overrides[section]:
            del overrides[section]
    else:
        overrides.setdefault(section, {})["endpointurl"] = wanted
    if overrides:
        write_private(path, "\n".join([*overrides.write(), ""]))
    else:
        path.unlink()


def default_remote(project: Project) -> "Section":
    """The section of DVC's default remote in the tracked `.dvc/config`.

    Raises:
        ProjectError: `.dvc/config` names no default remote.
    """
    tracked = _config(project.dvc_config)
    section = f'remote "{tracked.get("core", {}).get("remote", "")}"'
    if section not in tracked:
        raise ProjectError(
            f"{project.dvc_config} names no default remote. "
            "Set one with `dvc remote default NAME` (`dvc remote list` shows the names)."
        )
    return tracked[section]


def _config(path: Path) -> "ConfigObj":
    """A DVC configuration file, read with the library that DVC reads it with."""
    from configobj import ConfigObj

    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return ConfigObj(text.splitlines(), interpolation=False)
