"""Which files of a clone may say how we connect: our own, and only if git does not track them.

A file that git tracks was written by whoever wrote the repository. It could send keys to another
store, name a program that an AWS profile starts, or hold a pickle that DVC would load.
"""

import os
import re
import stat
from pathlib import Path

from bucket.errors import SettingsError
from bucket.git_contents import ended
from bucket.paths import Project

#: What belongs to one clone alone, and how to remove it from git. DVC loads pickles of `.dvc/tmp`.
OF_THIS_CLONE = {
    ".env": "`git rm --cached .env`. Everybody who can clone knows its keys: have them revoked",
    ".dvc/config.local": "`git rm --cached .dvc/config.local`",
    ".dvc/tmp": "`git rm -r .dvc/tmp`",
    ".bucket": "`git rm -r .bucket`",
}

#: Options of a remote by which DVC has the AWS SDKs read a file, which can name a program to start.
FILE_OPTION = re.compile(r"""^[ \t]*["']?(configpath|credentialpath)["']?[ \t]*=""", re.MULTILINE)


def check(project: Project) -> None:
    """Refuse what somebody else could have put into a clone.

    Raises:
        SettingsError: a file is not ours, or git tracks it; names the file and the fix.
        ProjectError: git is not installed.
    """
    _check_owner(project.env_file)
    there = [name for name in OF_THIS_CLONE if os.path.lexists(project.root / name)]
    tracked = _tracked(project.root, there)
    for name in there:
        if any(path == name or path.startswith(f"{name}/") for path in tracked):
            raise SettingsError(
                f"git tracks {name}, which belongs to one clone alone: its contents are not "
                f"trusted. Remove it from git: {OF_THIS_CLONE[name]}."
            )
    _check_options(project.dvc_config)


def _check_owner(path: Path) -> None:
    """Refuse a file that another user wrote, or could write."""
    try:
        owners = {path.lstat().st_uid, path.stat().st_uid}
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:  # there is none; or the reader says why it cannot be read
        return
    if others := owners - {os.geteuid(), 0}:
        raise SettingsError(
            f"{path.name} belongs to the user with the number {min(others)}: its contents are not "
            f"trusted. Make a file of your own: `mv {path.name} {path.name}.other`, then "
            "`bucket init`."
        )
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SettingsError(
            f"{path.name} has the mode {mode:04o}, so other users can write it: its contents are "
            f"not trusted. Read it, correct it, then `chmod 600 {path.name}`."
        )


def _tracked(root: Path, names: list[str]) -> list[str]:
    """Paths below `names` that git tracks, in lower case: some disks do not tell case apart.

    Raises:
        SettingsError: git cannot say.
        ProjectError: git is not installed.
    """
    is_repository = any((folder / ".git").exists() for folder in (root, *root.parents))
    if not (names and is_repository):
        return []
    # An option of the repository could start a program here.
    command = ("-c", "core.fsmonitor=false", "ls-files", "-z", "--")
    done = ended(root, *command, *(f":(icase){name}" for name in names))
    if done.returncode:
        said = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason"])[0]
        raise SettingsError(
            f"git cannot say whether it tracks {names[0]} ({said}), so nothing is read from it. "
            "Make `git status` work here."
        )
    return [os.fsdecode(path).lower() for path in done.stdout.split(b"\0") if path]


def _check_options(config: Path) -> None:
    """Refuse a tracked configuration of DVC that names an AWS file."""
    try:
        found = FILE_OPTION.search(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):  # whoever needs it says so
        return
    if found:
        raise SettingsError(
            f".dvc/config sets {found[1]}: such a file can name a program to start, and git "
            "tracks this setting. Remove it there; if you trust that file, name it for your clone "
            f"alone: `dvc remote modify --local NAME {found[1]} FILE`."
        )
