"""Data of another repository: read with the connection of the caller, never with its own.

Keys go only to the endpoint that the caller names: in the environment, in the project around the
current folder, or as `settings`; see `dvc.others`. The repository says in which bucket, and below
which prefix, its data is. Where its configuration names another endpoint, nothing is sent.
"""

import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from dvc_bucket.base.errors import ProjectError, RevisionError, SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.connection.settings import BUCKET_NAME, Settings
from dvc_bucket.connection.settings.others import FIX
from dvc_bucket.dvc import others
from dvc_bucket.dvc.remote import Remote
from dvc_bucket.git.contents import git

#: What is kept of a remote's options: where its data is, and how it is laid out. The others name
#: endpoints, profiles, files and credentials, or switch checks off.
KEPT_OPTIONS = ("url", "region", "version_aware", "worktree")

#: A region becomes a part of a host name of AWS.
REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")

#: What lives as long as the process.
_clones: list[tempfile.TemporaryDirectory[str]] = []


@cache
def clone(url: str) -> Project:
    """A project of another repository, cloned once a process into a folder that is gone at its end.

    Raises:
        RevisionError: git cannot clone it.
        ProjectError: it is not a DVC project.
    """
    folder = tempfile.TemporaryDirectory(prefix="bucket-clone-", ignore_cleanup_errors=True)
    _clones.append(folder)
    try:
        git(Path(folder.name), "clone", "--quiet", "--", url, "clone")
    except ProjectError as error:
        raise RevisionError(
            others.shown(f"Could not clone the repository {url}: {error}")
        ) from None
    project = Project(Path(folder.name).resolve() / "clone")
    if project.dvc_config.parent.is_symlink() or not project.dvc_config.is_file():
        raise ProjectError(
            f"The repository {others.shown(url)} has no .dvc/config: DVC tracks nothing in it."
        )
    _disarm(project)
    return project


def remote_of(
    project: Project, name: str | None, settings: Settings | None = None, url: str = ""
) -> Remote:
    """The remote of a cloned project, reached with the caller's connection.

    Args:
        project: made by `clone`.
        name: of the remote; None for the default one.
        settings: the connection, whatever endpoint the repository names; None for that of the
            environment, or else of the project around the current folder.
        url: that it was cloned from.

    Raises:
        SettingsError: there is no connection, or the repository names another endpoint.
        ProjectError: there is no such remote, or it is not in S3.
    """
    here = Project.around()  # if there is none, the environment has the settings
    stated = _stated(project, name)
    reached = settings
    if not settings:
        own = others.own_or_none(here or project)
        reached = others.reach(here, url, stated, own)
        if reached is None and own is None:
            Settings.load(here or project)  # its error says what is missing
    if reached is None:
        endpoint = str(stated.get("endpointurl", "")).rstrip("/")
        raise SettingsError(
            f"The repository keeps its data at {endpoint!r}, but your keys are for another "
            "endpoint. Nothing was sent. If you trust that endpoint, "
            f"{FIX.format(others.shown(url))}"
        )
    remote = Remote.of(project, reached, name, is_own=False)
    if not BUCKET_NAME.fullmatch(remote.settings.bucket_name):
        raise ProjectError("The remote of the repository names an invalid bucket.")
    return remote


def _disarm(project: Project) -> None:
    """Leave of `.dvc` only what is needed to find the data.

    Somebody may have committed what belongs to one clone alone: settings, and a database with
    pickles, which DVC would load.
    """
    stated = config.read(project.dvc_config)
    for path in project.dvc_config.parent.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    project.env_file.unlink(missing_ok=True)
    reduced = config.read(project.dvc_config)
    reduced["core"] = {"remote": _section(stated, "core").get("remote", "")}
    for name in stated:
        if name.startswith('remote "'):
            options = _section(stated, name)
            kept = {key: options[key] for key in KEPT_OPTIONS if isinstance(options.get(key), str)}
            if not REGION.fullmatch(kept.get("region", "a")):
                del kept["region"]
            reduced[name] = kept
    project.dvc_config.write_text("\n".join([*reduced.write(), ""]), encoding="utf-8")


def _stated(project: Project, name: str | None) -> dict[str, Any]:
    """The options that the repository has in git for a remote."""
    stated = config.parsed(git(project.root, "show", "HEAD:.dvc/config").decode(), ".dvc/config")
    name = name or _section(stated, "core").get("remote", "")
    return _section(stated, f'remote "{name}"')


def _section(stated: Any, name: str) -> dict[str, Any]:
    section = stated.get(name, {})
    return section if isinstance(section, dict) else {}
