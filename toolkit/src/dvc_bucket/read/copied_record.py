"""The record of `bucket cp` in a folder: which files the next `bucket cp` may replace.

The record lies in the folder itself: jobs copy from clones that live no longer than they do. It
holds, for each file, marks of the contents that were put there. A file that has one of them is
replaced when the data has changed; a file with other content only with `--force`; and one that git
or DVC tracks never.
"""

import contextlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from dvc_bucket.base.errors import OutputError, UnsafePathError
from dvc_bucket.base.files import write_private
from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc import owners

#: What else can be done about a file that is not replaced.
TO = "Name another folder."

#: The file in the folder.
NAME = ".bucket-staged"

#: Kinds of marks: what the object's name promises, of today's kind or of that before DVC 3; or size
#: and time of an object whose name promises nothing.
MD5, LEGACY, TIME = "md5", "md5-dos2unix", "size and time"


def has(path: Path, mark: str) -> bool:
    """Whether a file has the content that a mark stands for."""
    kind, _, value = mark.partition(":")
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            return False
        if kind == TIME:
            return value == f"{state.st_size}@{int(state.st_mtime)}"
        if kind == LEGACY:
            return dvc_hashes.of_file(path, legacy=True) == value
        return kind == MD5 and dvc_hashes.of_file(path) == value
    except OSError:
        return False


def check(folder: Path, missing: Mapping[Path, str], *, force: bool) -> None:
    """Check that files may be replaced.

    Args:
        folder: that has the record.
        missing: files that are not there or have other content, with the marks that they are to
            get.
        force: replace files that `copy_to` did not put there, too.

    Raises:
        OutputError: a file is there that must not be replaced. Nothing is touched.
        UnsafePathError: the data has a file of the name of the record.
        ProjectError: git or DVC cannot tell what they track there.
    """
    if folder / NAME in missing:
        raise UnsafePathError(f"The data has a file {NAME}, in which `bucket cp` keeps its record.")
    different = [target for target in missing if os.path.lexists(target)]
    if not different:
        return
    if folders := [target for target in different if target.is_dir()]:
        raise OutputError(f"{folders[0]} is a folder, but the data has a file of that name. {TO}")
    for target, owner in owners.tracked(different).items():
        raise OutputError(
            f"{target} differs from the data and is never replaced, because {owner} tracks it. {TO}"
        )
    record = _read(folder)
    foreign = [
        target
        for target in different
        if not any(has(target, mark) for mark in record.get(_key(folder, target), ()))
    ]
    if foreign and not force:
        more = f" and {len(foreign) - 1:,} more files differ" if foreign[1:] else " differs"
        raise OutputError(
            f"{foreign[0]}{more} from the data, and `bucket cp` did not write it. Add --force to "
            "replace it, or name another folder."
        )


def note(folder: Path, wanted: Mapping[Path, str], missing: Sequence[Path]) -> None:
    """Record what is there, and what is about to be: a job can be killed at any time.

    Args:
        folder: that has the record.
        wanted: all files, with their marks.
        missing: those that are about to be replaced or added.
    """
    before = _read(folder)
    after = {_key(folder, target): [mark] for target, mark in wanted.items() if mark}
    for target in missing:
        if (key := _key(folder, target)) in after:
            after[key] = list(dict.fromkeys([*after[key], *before.get(key, ())]))
    if {**before, **after} != before:
        write_private(folder / NAME, json.dumps({**before, **after}))


def _key(folder: Path, target: Path) -> str:
    return target.relative_to(folder).as_posix()


def _read(folder: Path) -> dict[str, list[str]]:
    """The record of a folder; empty where there is none, or one that another user wrote."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        descriptor = os.open(folder / NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, encoding="utf-8") as file:
            state = os.fstat(descriptor)
            if stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid():
                return dict(json.load(file))
    return {}
