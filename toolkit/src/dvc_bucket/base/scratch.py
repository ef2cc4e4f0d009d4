"""A folder for temporary files in which programs run, found by running one."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dvc_bucket.base.errors import NotCheckedError

#: Bytes that Python's own sockets add to the folder: of a pool, of a manager. Source: the standard
#: library, multiprocessing.util.get_temp_dir and multiprocessing.connection.arbitrary_address.
SOCKET_BYTES = len("/pymp-12345678/listener-12345678")

#: The name of a socket may have so many. Source: unix(7), sizeof(sun_path) less the final zero.
SUN_PATH_BYTES = 107

#: Where else to look, as the tempfile module does.
OTHERS = tuple(map(Path, ("/tmp", "/var/tmp")))  # noqa: S108 (names there are drawn)


@contextmanager
def usable() -> Iterator[tuple[Path, str]]:
    """Have programs that this process starts put temporary files where nothing is wrong with that.

    Yields:
        The folder for large files; a sentence if it is not the usual one, else empty text.

    Raises:
        NotCheckedError: there is no such folder.
    """
    faults: dict[Path, str] = {}
    for folder in dict.fromkeys([Path(tempfile.gettempdir()), *OTHERS]):
        if not (clause := fault(folder)):
            break
        faults[folder] = clause
    else:
        raise NotCheckedError(f"{_said(faults)} Set TMPDIR to a folder in which programs run.")
    if not faults:
        yield folder, ""
        return
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    # A long name is no fault of the folder itself: files can be there, and there may be the room.
    long = [place for place, clause in faults.items() if clause == _too_long(place)]
    try:
        said = "" if long else f"{_said(faults)} {folder} is used instead."
        yield (long or [folder])[0], said
    finally:
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before


def make_room_for_sockets() -> None:
    """Have the sockets of this process's pools where their names are short enough.

    Raises:
        NotCheckedError: there is no such folder.
    """
    from multiprocessing import util

    usual = tempfile.gettempdir()
    if not _too_long(Path(usual)):
        return
    with usable():
        tempfile.tempdir = os.environ["TMPDIR"]
        try:
            util.get_temp_dir()  # made once in a process, and inherited by the processes of pools
        finally:
            tempfile.tempdir = usual


def fault(folder: Path) -> str:
    """Why stages could fail with their temporary files in a folder; empty if nothing is wrong."""
    try:
        return _too_long(folder) if _runs(folder) else "does not let programs run (noexec)"
    except OSError as error:
        return f"cannot be used ({error.strerror})"


def _said(faults: dict[Path, str]) -> str:
    return "; ".join(f"{folder} {clause}" for folder, clause in faults.items()) + "."


def _too_long(folder: Path) -> str:
    """Whether a program could not make a socket there, as the name of one is short."""
    length = len(os.fsencode(folder))
    if length + SOCKET_BYTES <= SUN_PATH_BYTES:
        return ""
    return f"has {length} characters; the name of a socket in it would be too long"


def _runs(folder: Path) -> bool:
    """Whether a program in the folder can be started."""
    with tempfile.TemporaryDirectory(prefix="bucket-probe-", dir=folder) as name:
        program = Path(name) / "program"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o700)
        try:
            return subprocess.run([program], check=False, stdin=subprocess.DEVNULL).returncode == 0
        except PermissionError:
            return False
