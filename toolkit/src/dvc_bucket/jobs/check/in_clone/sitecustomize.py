"""Has Python report the files that it opens and the addresses that it connects to.

For machines without strace. Python imports a module of this name when it starts. Each process
writes a file of JSON lines to the folder that BUCKET_AUDIT names. It does not see files that
libraries in C or C++ open.
Source of the events: The Python Standard Library, "Audit events table".
"""

import contextlib
import json
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Observer:
    """Hears of every event, and writes down opened files and addresses."""

    def __init__(self, folder: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(Path(folder) / f"audit.{os.getpid()}", flags, 0o600)
        self._is_busy = False
        self._binding: list[Any] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Write an event down; an event that this causes is none of the stage's."""
        if self._is_busy:
            return
        self._is_busy = True
        try:
            self._observe(event, arguments)
        except (OSError, ValueError, TypeError):
            pass  # it must not change what a stage does
        finally:
            self._is_busy = False

    def _observe(self, event: str, arguments: tuple[Any, ...]) -> None:
        # An event comes before its call: the port that the system chose is known at the next one.
        while self._binding:
            with contextlib.suppress(OSError):  # closed again
                self._write(bind=self._binding.pop().getsockname()[1])
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, str | bytes | os.PathLike):  # else a descriptor: opened before
                writes = flags & WRITING if flags else set(mode or "r") & set("wax+")
                self._write(path=os.path.abspath(os.fsdecode(path)), writes=bool(writes))  # noqa: PTH100
        elif event == "socket.bind" and isinstance(arguments[1], tuple):
            self._binding.append(arguments[0])
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            self._write(connect=[str(arguments[1][0]), int(arguments[1][1])])

    def _write(self, **line: Any) -> None:
        os.write(self._file, (json.dumps(line) + "\n").encode())


def import_next() -> None:
    """Import the module of this name that would have been imported, if there is one."""
    here = str(Path(__file__).parent)
    paths = [path for path in sys.path if path != here]
    spec = PathFinder.find_spec("sitecustomize", paths)
    if spec and spec.loader:
        spec.loader.exec_module(module_from_spec(spec))


if "BUCKET_AUDIT" in os.environ:
    sys.addaudithook(Observer(os.environ["BUCKET_AUDIT"]))
import_next()
