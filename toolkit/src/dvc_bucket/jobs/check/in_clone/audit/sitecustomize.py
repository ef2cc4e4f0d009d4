"""Where there is no strace: has Python itself tell which files it opens and whom it connects to.

Python imports a module of this name when it starts. Each process writes a file of lines of JSON to
the folder that BUCKET_AUDIT names. What libraries in C or C++ open by themselves it does not see.
Source of the events: The Python Standard Library, "Audit events table".
"""

import json
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

_FOLDER = os.environ.get("BUCKET_AUDIT", "")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _told(event: str, arguments: tuple[Any, ...]) -> dict[str, Any] | None:
    """What is to be written down of an event."""
    if event == "open":
        path, mode, flags = arguments
        if not isinstance(path, str | bytes | os.PathLike):
            return None  # a descriptor: it was opened before
        writes = bool(flags & _WRITING) if flags else any(sign in (mode or "r") for sign in "wax+")
        return {"path": os.path.abspath(os.fsdecode(path)), "writes": writes}  # noqa: PTH100
    if event in {"socket.connect", "socket.bind"}:
        address = arguments[1]
        if isinstance(address, tuple):
            return {event.removeprefix("socket."): [str(address[0]), int(address[1])]}
    return None


def _listen() -> None:
    file = os.open(
        Path(_FOLDER) / f"audit.{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
    )
    busy = False

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy:
            return
        busy = True
        try:
            if told := _told(event, arguments):
                os.write(file, (json.dumps(told) + "\n").encode())
        except (OSError, ValueError, TypeError):
            pass  # it watches; it must not change what a stage does
        finally:
            busy = False

    sys.addaudithook(hear)


def _next() -> None:
    """Import the module of this name that would have been imported, if there is one."""
    here = str(Path(__file__).parent)
    found = PathFinder.find_spec("sitecustomize", [path for path in sys.path if path != here])
    if found and found.loader:
        found.loader.exec_module(module_from_spec(found))


if _FOLDER:
    _listen()
_next()
