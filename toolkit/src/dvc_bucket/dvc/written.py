"""Which existing files and folders an output option may replace: those that this clone wrote.

One rule for every output of every command. A folder is replaced as a whole, and only if each file
in it is one that this clone wrote there and nobody changed since; never if it holds the project, or
if git or DVC tracks something in it. A file is replaced if this clone wrote it, or if git has its
content; anything else needs `--force`, and a file that DVC tracks, or whose changes are not
committed, stays even then. The record of the files and their hashes is in `.dvc/tmp`: an output
itself holds nothing but its content.
"""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from dvc_bucket.base.errors import OutputError, UnsafePathError
from dvc_bucket.base.files import private_folder, replacing, write_private
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc import owners
from dvc_bucket.transfer.single import file_sha256

#: What is recorded: the SHA-256 of each file, by its path in the folder; of a single file, by "".
Record = Mapping[str, str]

EMPTY = "an empty folder"

ELSEWHERE = "Name another output, or move this one away."


@contextmanager
def new_folder(place: Path, project: Project | None = None) -> Iterator[Path]:
    """An empty folder beside `place` that takes its name if, and only if, the block succeeds.

    Args:
        place: the folder that the user named.
        project: that keeps the record; None for the one around the current folder, if any.

    Raises:
        OutputError: a folder is there that this command must not replace. Nothing is touched.
        ProjectError: git or DVC cannot tell what they track there.
    """
    project, target = project or Project.around(), place.resolve()
    _check_folder(place, target, project)
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    with _naming(place):
        unfinished.mkdir(parents=True)
    try:
        yield unfinished
        record = dict(_contents(unfinished))
        with _naming(place):
            _exchange(place, target, unfinished, project)
        _note(target, record, project)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def new_file(
    place: Path, project: Project | None = None, *, force: bool | None = None
) -> Iterator[BinaryIO]:
    """A file beside `place` that takes its name if, and only if, the block succeeds.

    Args:
        place: the file that the user named.
        project: that keeps the record; None for the one around the current folder, if any.
        force: the command's option of this name; None if it has none.

    Raises:
        OutputError: a file is there that this command must not replace. Nothing is touched.
        ProjectError: git or DVC cannot tell what they track there.
    """
    project, target = project or Project.around(), place.resolve()
    _check_file(place, target, project, force=force)
    with contextlib.ExitStack() as stack:
        with _naming(place):
            target.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(replacing(target))
        yield file
        _check_file(place, target, project, force=force)
    _note(target, {"": file_sha256(target)}, project)


def _check_folder(place: Path, target: Path, project: Project | None) -> None:
    if project and project.root.resolve().is_relative_to(target):
        raise OutputError(f"{place} contains the project {project.root}. Name another folder.")
    if not target.exists():
        return
    if not target.is_dir():
        raise OutputError(f"{place} exists and is not a folder. {ELSEWHERE}")
    with _naming(place):
        is_empty = not any(target.iterdir())
        strange = _strange(target, _record(target, project))
    if is_empty:
        return
    if strange:
        raise OutputError(
            f"{place} is not empty: this command did not write {strange} in it, or the file was "
            f"changed later. {ELSEWHERE}"
        )
    if owner := owners.tracked([target]):
        raise OutputError(f"{owner.popitem()[1]} tracks {place} or files in it. {ELSEWHERE}")


def _check_file(place: Path, target: Path, project: Project | None, *, force: bool | None) -> None:
    if not target.exists():
        return
    if not target.is_file():
        raise OutputError(f"{place} exists and is not a file. {ELSEWHERE}")
    owner = owners.tracked([target]).get(target)
    if owner == "DVC":
        raise OutputError(f"DVC tracks {place}. Name another file.")
    if _record(target, project) == {"": file_sha256(target)} or owners.is_committed(target):
        return
    if owner:
        raise OutputError(f"{place} has uncommitted changes. Commit them, or name another file.")
    if not force:
        hint = ELSEWHERE if force is None else "Name another output, or add --force to replace it."
        raise OutputError(
            f"{place} exists. This command did not write it, or it was changed later. {hint}"
        )


def _exchange(place: Path, target: Path, unfinished: Path, project: Project | None) -> None:
    """Give the finished folder its name; the old one is moved aside first and removed last."""
    aside = unfinished.with_name(f"{unfinished.name}.old")
    record = _record(target, project)
    _check_folder(place, target, project)
    try:
        with contextlib.suppress(FileNotFoundError):
            target.rename(aside)
        _check_unchanged(place, aside, record)
        unfinished.rename(target)
    except BaseException:  # Ctrl-C too: the old folder comes back
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _check_unchanged(place: Path, aside: Path, record: Record) -> None:
    if aside.exists() and (strange := _strange(aside, record)):
        raise OutputError(f"Another program has just written {strange} in {place}. {ELSEWHERE}")


@contextmanager
def _naming(place: Path) -> Iterator[None]:
    """Turn an error of the system into a sentence that names the output."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{place} cannot be written: {error.strerror or error}.") from None


def _strange(folder: Path, record: Record) -> str:
    """The first file in a folder that is not as it is recorded; empty if there is none."""
    folders = {str(parent): EMPTY for name in record for parent in PurePosixPath(name).parents}
    expected = {**folders, **record}
    return next((name for name, sha in _contents(folder) if expected.get(name) != sha), "")


def _contents(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and SHA-256 of each file in a folder; of a link and an empty folder, what it is."""
    for root, folders, files in os.walk(folder, onerror=_raise):
        here = Path(root)
        links = [name for name in folders if (here / name).is_symlink()]
        for path in (here / name for name in (*files, *links)):
            name = path.relative_to(folder).as_posix()
            yield (
                name,
                file_sha256(path) if stat.S_ISREG(path.lstat().st_mode) else "not a regular file",
            )
        if not folders and not files and here != folder:
            yield here.relative_to(folder).as_posix(), EMPTY


def _raise(error: OSError) -> None:
    raise error


def _record(target: Path, project: Project | None) -> Record:
    """What this clone wrote at a path; nothing if there is no record that is ours."""
    if project is None or not project.written.exists():
        return {}
    try:
        file = private_folder(project.written) / _name(target)
        record: Record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, UnsafePathError):
        return {}
    return record


def _note(target: Path, record: Record, project: Project | None) -> None:
    """Keep the record. Without one the output is not replaced the next time, and that is all."""
    if project is None:
        return
    with contextlib.suppress(OSError, UnsafePathError):
        write_private(private_folder(project.written) / _name(target), json.dumps(record))


def _name(target: Path) -> str:
    return f"{hashlib.sha256(os.fsencode(target)).hexdigest()}.json"
