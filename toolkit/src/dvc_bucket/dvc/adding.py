"""Data that `bucket add` refuses, and data that DVC would leave out without a word."""

import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dvc_bucket.base.errors import ProjectError, UnsafePathError
from dvc_bucket.base.files import entries_below
from dvc_bucket.base.paths import Project
from dvc_bucket.base.terminal import visible
from dvc_bucket.dvc.remote.outputs import opened

#: A byte of a name that is no UTF-8, as Python reads it.
NOT_UTF8 = re.compile("[\udc80-\udcff]")

#: By what is to be added, the entries below it that are more than files with usual names.
Unusual = dict[Path, list["os.DirEntry[str]"]]


def unusual(words: Sequence[str]) -> Unusual:
    """Find links, what is neither a file nor a folder, and names that are not UTF-8.

    Args:
        words: of the command; those that name something are its data.
    """
    return {
        top: [
            entry
            for entry in entries_below(top)
            if not entry.is_file(follow_symlinks=False) or NOT_UTF8.search(entry.path)
        ]
        for top in map(Path, filter(os.path.lexists, words))
    }


def refuse(project: Project, data: Unusual) -> None:
    """Refuse data that cannot or must not be tracked; name links to folders, which DVC ignores.

    Args:
        project: the clone.
        data: from `unusual`.

    Raises:
        ProjectError: a name is not UTF-8 or cannot be ignored by git, or something is neither a
            file nor a folder.
    """
    for top, entries in data.items():
        links, others = list[Path](), list[Path]()
        if "\n" in top.name or top.name.endswith(" "):
            raise ProjectError(
                f"{str(top)!r}: git cannot ignore a name with a line break or a space at its end, "
                "so it would store the data itself. Rename it."
            )
        _refuse_name(str(top), top)
        for entry in entries:
            _refuse_name(entry.path, top)
            _sort(Path(entry.path), links, others)
        if not top.is_dir():
            _sort(top, links, others)
        for path in _seen(project, others):
            raise ProjectError(
                f"{path} is neither a file nor a folder (a pipe, a socket or a device), so DVC "
                "cannot track it. Remove it, or list it in .dvcignore."
            )
        for path in _seen(project, links):
            said = (
                f"{path} is a link to a folder, which DVC does not follow: its files are not "
                "tracked. Replace the link by the folder, or list it in .dvcignore."
            )
            print(visible(f"bucket: {said}"), file=sys.stderr)


def refuse_credentials(project: Project, data: Unusual) -> None:
    """Refuse files and folders that would bring credentials to the bucket.

    Args:
        project: the clone.
        data: from `unusual`.

    Raises:
        UnsafePathError: one can contain credentials of the project.
    """
    for top, entries in data.items():
        links = (Path(entry.path) for entry in entries if entry.is_symlink())
        for path in (top, *links):
            if project.is_private(path):
                raise UnsafePathError(
                    f"{path} can contain credentials, which `bucket push` would upload, so it is "
                    "not tracked. Keep credentials in .env, which git ignores."
                )


def _sort(path: Path, links: list[Path], others: list[Path]) -> None:
    """Put a path to the links to folders, or to what is neither a file nor a folder."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        mode = path.stat().st_mode if path.exists() else mode
        if stat.S_ISDIR(mode):
            links.append(path)
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
        others.append(path)


def _refuse_name(path: str, top: Path) -> None:
    """Refuse a name that other machines cannot read.

    Raises:
        ProjectError: it is not UTF-8.
    """
    if NOT_UTF8.search(path):
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise ProjectError(
            f"{shown}: the name is not UTF-8, which DVC requires. Rename it; to rename all files "
            f"of a folder: `convmv -r -f latin1 -t utf8 --notest {top}`."
        )


def _seen(project: Project, paths: Sequence[Path]) -> Iterator[Path]:
    """Those paths that no line of .dvcignore takes out."""
    if paths:
        with opened(project) as repo:
            for path in paths:
                if not repo.dvcignore.check_ignore(str(path.absolute())).match:
                    yield path
