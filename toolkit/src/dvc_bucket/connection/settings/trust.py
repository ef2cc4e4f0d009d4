"""Which files of a clone may say how we connect: our own, and only if git does not track them.

A file that git tracks was written by whoever wrote the repository. It could send keys to another
store, name a program that an AWS profile starts, or hold a pickle that DVC would load.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dvc_bucket.base.errors import SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection import dvc_config as config
from dvc_bucket.git import owner
from dvc_bucket.git.contents import ended, is_in_repository

#: What belongs to one clone alone, and how to remove it from git. DVC loads pickles of `.dvc/tmp`.
OF_THIS_CLONE = {
    ".env": (
        "`git rm --cached .env`. Everybody who can clone the repository has its keys: revoke them"
    ),
    ".dvc/config.local": "`git rm --cached .dvc/config.local`",
    ".dvc/tmp": "`git rm -r .dvc/tmp`",
    ".bucket": "`git rm -r .bucket`",
}

#: Options by which DVC reads a file, or starts a program, that could be theirs.
FILE_OPTIONS = {"configpath", "credentialpath", "bearer_token_command"}


def check(project: Project) -> None:
    """Refuse what somebody else could have put into a clone.

    Raises:
        SettingsError: a file is not ours, or git tracks it; names the file and the fix.
        ProjectError: git is not installed.
    """
    _check_owner(
        project.env_file, "Create a file of your own: `mv {0} {0}.other`, then `bucket init`"
    )
    _check_owner(project.dvc_config_local, "Move it away: `mv {0} {0}.other`")
    _check_mode(project.env_file)
    if not is_in_repository(project.root):  # there git answers for the owner
        for path in (project.dvc_config.parent, project.dvc_config):
            _check_owner(path, "Work in a folder outside that project, or in a copy of your own")
    # A link or a submodule in the place of .dvc: all that is in it came with the repository.
    names = [".dvc", *(name for name in OF_THIS_CLONE if os.path.lexists(project.root / name))]
    tracked = _tracked(project.root, names)
    if ".dvc" in tracked:
        raise SettingsError(
            ".dvc is a link or a submodule in git, so its contents are not trusted. Replace it by "
            "a folder."
        )
    for name in names[1:]:
        if any(path == name or path.startswith(f"{name}/") for path in tracked):
            raise SettingsError(
                f"git tracks {name}, which must be private to a clone, so its contents are not "
                f"trusted. Remove it from git: {OF_THIS_CLONE[name]}."
            )
    _check_options(project.dvc_config)


def _check_owner(path: Path, fix: str) -> None:
    """Refuse what another user wrote; the fix has `{0}` in the place of its name."""
    try:
        owners = {path.lstat().st_uid, path.stat().st_uid}
    except OSError:  # there is none; or the reader says why it cannot be read
        return
    if others := owners - {os.geteuid(), 0}:
        name = path.name if path.name.startswith(".") else f".dvc/{path.name}"
        raise SettingsError(
            f"{name} belongs to the user with the ID {min(others)}, so its contents are not "
            f"trusted. {fix.format(name)}."
        )


def _check_mode(path: Path) -> None:
    """Refuse a file that another user could write."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsError(
            f"{path.name} has the mode {mode:04o}, so other users can change it, and its contents "
            f"are not trusted. Check its contents, then `chmod 600 {path.name}`."
        )


def _tracked(root: Path, names: list[str]) -> list[str]:
    """Paths below `names` that git tracks, in lower case: some disks do not tell case apart.

    Raises:
        SettingsError: git cannot say.
        ProjectError: git is not installed, or the repository is another user's.
    """
    if not is_in_repository(root):
        return []
    # An option of the repository could start a program here.
    command = ("-c", "core.fsmonitor=false", "ls-files", "-z", "--")
    done = ended(root, *command, *(f":(icase){name}" for name in names))
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        owner.check(said)
        reason = (said.splitlines() or ["no reason"])[0]
        raise SettingsError(
            f"git cannot tell whether it tracks {names[0]} ({reason}), so the file is not read. "
            "Make `git status` work here."
        )
    return [os.fsdecode(path).lower() for path in done.stdout.split(b"\0") if path]


def _check_options(path: Path) -> None:
    """Refuse a tracked configuration of DVC that names a file of AWS or a program.

    Raises:
        SettingsError: it does.
        ProjectError: it cannot be read.
    """
    for option in _options(config.read(path)):
        if option.lower() in FILE_OPTIONS:  # DVC takes capitals, too
            raise SettingsError(
                f".dvc/config, which git tracks, sets {option}; the file that it names can start a "
                "program. Remove the setting; if you trust that file, set it for your clone only: "
                f"`dvc remote modify --local NAME {option.lower()} FILE`."
            )


def _options(section: Mapping[str, Any]) -> Iterator[str]:
    """The names of all options of a configuration, in its sections as well."""
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _options(value)
        else:
            yield name
