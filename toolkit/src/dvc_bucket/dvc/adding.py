"""Data that `bucket add` refuses, and data that DVC would leave out without a word."""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dvc_bucket.base.errors import ProjectError, UnsafePathError
from dvc_bucket.base.files import files_below
from dvc_bucket.base.paths import Project
from dvc_bucket.base.terminal import visible
from dvc_bucket.dvc.remote.outputs import opened


def refuse(project: Project, words: Sequence[str]) -> None:
    """Refuse data that cannot or must not be tracked; name links to folders, which DVC ignores.

    Args:
        project: the clone.
        words: of the command; those that name something are its data.

    Raises:
        ProjectError: a name is not UTF-8 or cannot be ignored by git, or something is neither a
            file nor a folder.
    """
    for top in map(Path, filter(os.path.lexists, words)):
        links, others = [], []
        if "\n" in top.name or top.name.endswith(" "):
            raise ProjectError(
                f"{str(top)!r}: git cannot ignore a name with a line break or a space at its end, "
                "so it would store the data itself. Rename it."
            )
        for path in files_below(top) if top.is_dir() else [top]:
            _refuse_name(path, top)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                mode = path.stat().st_mode if path.exists() else mode
                if stat.S_ISDIR(mode):
                    links.append(path)
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)):
                others.append(path)
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


def refuse_credentials(project: Project, words: Sequence[str]) -> None:
    """Refuse files and folders that would bring credentials to the bucket.

    Args:
        project: the clone.
        words: of the command; those that name something are its data.

    Raises:
        UnsafePathError: one can contain credentials of the project.
    """
    for top in map(Path, filter(os.path.lexists, words)):
        links = (path for path in files_below(top) if path.is_symlink())
        for path in (top, *links):
            if project.is_private(path):
                raise UnsafePathError(
                    f"{path} can contain credentials, which `bucket push` would upload, so it is "
                    "not tracked. Keep credentials in .env, which git ignores."
                )


def _refuse_name(path: Path, top: Path) -> None:
    """Refuse a name that other machines cannot read.

    Raises:
        ProjectError: it is not UTF-8.
    """
    if any("\udc80" <= letter <= "\udcff" for letter in str(path)):  # a byte of its own
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
