"""What `.dvc/config` says of the default remote, and the git-ignored overrides beside it."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dvc_bucket.base.errors import NotInS3Error, ProjectError
from dvc_bucket.base.files import write_private
from dvc_bucket.base.paths import Project

if TYPE_CHECKING:
    from configobj import ConfigObj, Section


#: DVC's option of a remote that is read without keys.
ANONYMOUS = "allow_anonymous_login"

NO_DEFAULT = (
    ".dvc/config names no default remote. "
    "Set one with `dvc remote default NAME` (`dvc remote list` shows the names)."
)

NO_REMOTE = (
    ".dvc/config names no remote. Add one: "
    "`dvc remote add --default storage s3://BUCKET/PREFIX`. Then run `bucket init`."
)


def default_remote(project: Project) -> "Section":
    """The section of DVC's default remote in the tracked `.dvc/config`.

    Raises:
        ProjectError: `.dvc/config` names no default remote, or cannot be read.
    """
    return _default_remote(read(project.dvc_config))


def remote_of(text: str) -> "Section":
    """The section of the default remote in the text of a `.dvc/config`.

    Raises:
        ProjectError: it names no default remote, or is no configuration.
    """
    return _default_remote(parsed(text, ".dvc/config"))


def with_options(text: str, options: Mapping[str, str | None]) -> str:
    """The text of a `.dvc/config` with options of the default remote set, or taken out if None.

    Raises:
        ProjectError: it names no default remote, or is no configuration.
    """
    config = parsed(text, ".dvc/config")
    remote = _default_remote(config)
    for option, value in options.items():
        if value is None:
            remote.pop(option, None)
        else:
            remote[option] = value
    return "\n".join([*config.write(), ""])


def files(project: Project) -> list[Path]:
    """DVC's configuration: of this clone, the tracked one, of the person, of the machine.

    The first that sets an option counts.

    Source: DVC's documentation, "dvc config", and platformdirs, which DVC asks for the folders.
    """
    if sys.platform == "darwin":
        person, machine = "~/Library/Application Support", "/Library/Application Support"
    else:
        person = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
        machine = (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").partition(os.pathsep)[0]
    own = os.environ.get("DVC_GLOBAL_CONFIG_DIR") or f"{person}/dvc"
    shared = os.environ.get("DVC_SYSTEM_CONFIG_DIR") or f"{machine}/dvc"
    others = [Path(os.path.expanduser(folder), "config") for folder in (own, shared)]  # noqa: PTH111
    return [project.dvc_config_local, project.dvc_config, *others]


def chosen_remote(project: Project) -> tuple[str, Path]:
    """Name of the default remote that plain `dvc` uses here, and the file that says so.

    Raises:
        ProjectError: no file names one, or one of them cannot be read.
    """
    if chosen := _chosen(project):
        return chosen
    raise ProjectError(NO_DEFAULT)


def is_of_project(project: Project) -> bool:
    """Whether no file but the tracked `.dvc/config` chooses another default remote for here.

    Raises:
        ProjectError: one of the files cannot be read.
    """
    tracked = read(project.dvc_config).get("core", {}).get("remote")
    chosen = _chosen(project)
    return chosen is None or chosen[0] == tracked


def _chosen(project: Project) -> tuple[str, Path] | None:
    for file in files(project):
        if name := read(file).get("core", {}).get("remote"):
            return str(name), file
    return None


def options_of(project: Project, name: str) -> dict[str, str]:
    """The options of a remote in all files of DVC's configuration; none if no file has it.

    Raises:
        ProjectError: one of the files cannot be read.
    """
    sections = [read(file).get(f'remote "{name}"', {}) for file in reversed(files(project))]
    return {option: value for section in sections for option, value in section.items()}


def effective_remote(project: Project) -> dict[str, str]:
    """The options of the default remote as plain `dvc` sees them here.

    Raises:
        ProjectError: no file names a default remote, or one of the files cannot be read.
    """
    return options_of(project, chosen_remote(project)[0])


def is_true(value: object) -> bool:
    """Whether DVC takes the text of an option for true. Source: DVC, config_schema.py, `Bool`."""
    return str(value).lower() == "true"


def split(url: str, which: str = "") -> tuple[str, str]:
    """Bucket and prefix of the keys of a remote's URL.

    Args:
        url: of the remote.
        which: remote that is, if it is not the project's default one: its name, and where from.

    Raises:
        NotInS3Error: the URL is not of the form `s3://bucket/prefix`.
        ProjectError: a part of the prefix is empty or dots: stores and clients keep such keys under
            different names.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        what = f"The remote{which}" if which else "DVC's default remote"
        fix = (
            "Name the project's remote (`--remote NAME`) or make it the default again: `dvc remote "
            "default --local --unset`."
            if which
            else "Set it: `dvc remote modify NAME url s3://bucket/prefix`."
        )
        raise NotInS3Error(
            f"{what} has the URL {url or '(none)'}, which is not of the form "
            f"s3://bucket/prefix. {fix}"
        )
    check_prefix(url, f"The remote{which}" if which else "DVC's default remote")
    return parts.netloc, parts.path.strip("/")


def check_prefix(url: str, what: str) -> None:
    """Refuse the URL of a remote whose keys stores and clients keep under different names.

    Args:
        url: of any kind.
        what: the remote that is.

    Raises:
        ProjectError: it is in S3, and a part of the prefix is empty or dots.
    """
    parts = urlsplit(url)
    is_odd = "//" in parts.path or {".", ".."}.intersection(parts.path.split("/"))
    if parts.scheme == "s3" and is_odd:
        raise ProjectError(
            f"{what} has the URL {url}, whose prefix has an empty part (//) or a part of dots; "
            "stores and clients treat such keys differently. Run plain `dvc pull` to get the data, "
            "choose another prefix with `dvc remote modify NAME url s3://bucket/prefix`, then run "
            "`bucket push`."
        )


def address(project: Project) -> tuple[str, str]:
    """Bucket and prefix of the keys of the default remote, as plain `dvc` sees it.

    Raises:
        ProjectError: there is none, or its URL is not of the form `s3://bucket/prefix`.
    """
    url = str(effective_remote(project).get("url", ""))
    return split(url, of_whom(project))


def of_whom(project: Project) -> str:
    """What follows the words `default remote` where it is not the project's own: name and file.

    Raises:
        ProjectError: no file names a default remote, or one of the files cannot be read.
    """
    if is_of_project(project):
        return ""
    name, file = chosen_remote(project)
    is_inside = file.is_relative_to(project.root)
    return f" {name} (core.remote in {file.relative_to(project.root) if is_inside else file})"


def set_overrides(project: Project, wanted: dict[str, str | None]) -> None:
    """Have plain `dvc` commands of this clone use `wanted` options of the default remote.

    An option that is None, or is what the tracked `.dvc/config` says, needs no override: one of
    before is taken out. Everything else in `.dvc/config.local` stays as it is.

    Raises:
        ProjectError: `.dvc/config` names no default remote, or one of the files cannot be read.
    """
    tracked, path = default_remote(project), project.dvc_config_local
    overrides = read(path)
    before = dict(overrides.get(tracked.name, {}))
    after = {option: value for option, value in before.items() if option not in wanted}
    for option, value in wanted.items():
        if value is not None and tracked.get(option) != value:
            after[option] = value
    if after == before:
        return
    overrides[tracked.name] = after
    if not after:
        del overrides[tracked.name]
    if overrides:
        write(path, overrides)
    else:
        path.unlink()


def read(path: Path) -> "ConfigObj":
    """A DVC configuration file, read with the library that DVC reads it with.

    Raises:
        ProjectError: the file cannot be read or has a line that is no configuration.
    """
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"{path} cannot be read ({type(error).__name__}).") from None
    return parsed(text, str(path))


def write(path: Path, content: "ConfigObj") -> None:
    """Write a DVC configuration file."""
    write_private(path, "\n".join([*content.write(), ""]))


def parsed(text: str, file: str) -> "ConfigObj":
    """The text of a DVC configuration; `file` names it in messages.

    Raises:
        ProjectError: a line is no configuration.
    """
    from configobj import ConfigObj, ConfigObjError

    try:
        return ConfigObj(text.splitlines(), interpolation=False)
    except ConfigObjError as error:
        # The library's message quotes the line, which can hold a secret: only its number is said.
        raise ProjectError(
            f"{file}, line {error.line_number}, is not a valid line of a DVC configuration. "
            "Correct it with an editor, or restore the file with `git checkout`."
        ) from None


def _default_remote(config: "ConfigObj") -> "Section":
    # DVC writes the name of a section in quotes of its own: ['remote "storage"'].
    section = f'remote "{config.get("core", {}).get("remote", "")}"'
    if section not in config:
        has_remotes = any(name.startswith("remote ") for name in config.sections)
        raise ProjectError(NO_DEFAULT if has_remotes else NO_REMOTE)
    return config[section]
