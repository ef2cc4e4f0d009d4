"""What `.dvc/config` says of the default remote, and the git-ignored overrides beside it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import write_private
from dvc_bucket.base.paths import Project

if TYPE_CHECKING:
    from configobj import ConfigObj, Section


#: How DVC may bring files from the cache where it runs as root. Root writes through hard links and
#: symbolic links into the cache, although its files are read-only.
ROOT_LINKS = ("reflink", "copy")


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


def with_options(text: str, options: dict[str, str | None]) -> str:
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


def effective_remote(project: Project) -> dict[str, str]:
    """The options of the default remote as plain `dvc` sees them: tracked, then this clone's own.

    Raises:
        ProjectError: `.dvc/config` names no default remote, or one of the files cannot be read.
    """
    tracked = default_remote(project)
    return {**tracked, **read(project.dvc_config_local).get(tracked.name, {})}


def split(url: str) -> tuple[str, str]:
    """Bucket and prefix of the keys of a remote's URL.

    Raises:
        ProjectError: the URL is not of the form `s3://bucket/prefix`, or a part of the prefix is
            empty or dots: stores and clients keep such keys under different names.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise ProjectError(
            f"DVC's default remote has the URL {url or '(none)'}, which is not of the form "
            "s3://bucket/prefix. Set it: `dvc remote modify NAME url s3://bucket/prefix`."
        )
    if "//" in parts.path or {".", ".."}.intersection(parts.path.split("/")):
        raise ProjectError(
            f"DVC's default remote has the URL {url}, whose prefix has an empty part (//) or one "
            "of dots: stores and clients keep such keys under different names. Choose another: "
            "`dvc remote modify NAME url s3://bucket/prefix`, then `bucket push`."
        )
    return parts.netloc, parts.path.strip("/")


def address(project: Project) -> tuple[str, str]:
    """Bucket and prefix of the keys of the default remote, as plain `dvc` sees it.

    Raises:
        ProjectError: there is none, or its URL is not of the form `s3://bucket/prefix`.
    """
    return split(str(effective_remote(project).get("url", "")))


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
        _write(path, overrides)
    else:
        path.unlink()


def protect_cache(project: Project) -> None:
    """Have `dvc` of root, plain `dvc` too, copy files from the cache and not link to them.

    A choice that `.dvc/config.local` makes already stays as it is; `bucket doctor` warns about it.

    Raises:
        ProjectError: one of the configuration files cannot be read.
    """
    overrides = read(project.dvc_config_local)
    is_chosen = "type" in overrides.get("cache", {})
    if os.geteuid() == 0 and not is_chosen and not set(link_types(project)) <= set(ROOT_LINKS):
        overrides.setdefault("cache", {})["type"] = ",".join(ROOT_LINKS)
        _write(project.dvc_config_local, overrides)


def link_types(project: Project, *, tracked_only: bool = False) -> list[str]:
    """How DVC brings files from the cache, in the order in which it tries.

    Args:
        project: the clone.
        tracked_only: leave out what `.dvc/config.local` says for this clone.

    Raises:
        ProjectError: one of the configuration files cannot be read.
    """
    files = [project.dvc_config] if tracked_only else [project.dvc_config_local, project.dvc_config]
    chosen = (read(file).get("cache", {}).get("type") for file in files)
    types = next(filter(None, chosen), ROOT_LINKS)  # those are DVC's own default
    return [kind.strip() for kind in (types.split(",") if isinstance(types, str) else types)]


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


def _write(path: Path, content: "ConfigObj") -> None:
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
            f"{file}, line {error.line_number}, is no line of a DVC configuration. Correct it with "
            "an editor, or take the file back with `git checkout`."
        ) from None


def _default_remote(config: "ConfigObj") -> "Section":
    # DVC writes the name of a section in quotes of its own: ['remote "storage"'].
    section = f'remote "{config.get("core", {}).get("remote", "")}"'
    if section not in config:
        raise ProjectError(
            ".dvc/config names no default remote. "
            "Set one with `dvc remote default NAME` (`dvc remote list` shows the names)."
        )
    return config[section]
