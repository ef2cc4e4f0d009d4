"""Paths from data: names in lists, git trees, keys and archives, which nobody here has chosen."""

import re
from pathlib import Path

from dvc_bucket.base.errors import UnsafePathError

#: How a part of a name begins that is a drive, or the root of one, on Windows.
ROOT = re.compile(r"[A-Za-z]:(?:\\|$)|\\")

#: What separates the parts of a name, on any system.
SEPARATORS = re.compile(r"[/\\]")

#: What a name has in it that may be no path below a folder. Most names have none of it.
UNUSUAL = re.compile(r"[\\\0:]|//|(?:^|/)\.|^/|/$|~")

#: A folder whose configuration names programs that git starts. Git itself never writes into one.
REPOSITORY = ".git"


def below(folder: Path, name: str) -> Path:
    """The path that a name from data has below a folder.

    Every path that is made of a name from data comes from here.

    Args:
        folder: every file of the data belongs below it.
        name: from the data, with slashes.

    Raises:
        UnsafePathError: the path would leave the folder, or reach into a git repository.
    """
    check(name)
    path = folder
    for part in name.split("/"):
        if path is not folder and path.is_symlink():
            real = path.resolve()
            if not real.is_relative_to(folder.resolve()):
                raise _refused(name, f"{path} is a link to {real}, outside {folder}")
        path = path / part
    return path


def check(name: str) -> None:
    """Check a name from data that is to be a path below a folder.

    Raises:
        UnsafePathError: no folder has a path of this name inside.
    """
    if why := fault(name):
        raise _refused(name, why)


def fault(name: str) -> str:
    """Why a name cannot be a path below a folder; empty if it can."""
    if not isinstance(name, str) or not name:
        return "it is not a file name"
    if not UNUSUAL.search(name):
        return ""
    if "\0" in name:
        return "it contains a zero byte"
    parts = name.split("/")
    if name.startswith("/") or any(ROOT.match(part) for part in parts):
        return "it is an absolute path"
    if ".." in SEPARATORS.split(name):
        return "it leads out of its folder"
    if "" in parts or "." in parts:
        return "it has an empty part"
    if any(part.lower() == REPOSITORY for part in parts):
        return f"it lies in a folder {REPOSITORY}, whose files can start programs"
    return ""


def _refused(name: str, why: str) -> UnsafePathError:
    return UnsafePathError(
        f"The data contains the name {name!r}, which is not allowed: {why}. Nothing is written to "
        "that path. Ask the publisher of the data for a corrected name."
    )
