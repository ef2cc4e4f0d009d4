"""Has Python report the files that it opens and the addresses that it connects to.

For machines without strace. Python imports a module of this name when it starts. Each process
writes a file to the folder that BUCKET_AUDIT names, with lines as strace prints them. It does not
see files that libraries in C or C++ open.
Source of the events: The Python Standard Library, "Audit events table".
"""

import contextlib
import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Observer:
    """Hears of every event, and writes down opened files and addresses."""

    def __init__(self, folder: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(Path(folder) / f"trace.{os.getpid()}", flags, 0o600)
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
                self._write_address("getsockname", self._binding.pop().getsockname())
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, str | bytes | os.PathLike):  # else a descriptor: opened before
                writes = flags & WRITING if flags else set(mode or "r") & set("wax+")
                place = os.path.realpath(os.fsencode(path)).decode("latin-1")
                escaped = place.encode("unicode_escape").decode().replace('"', r"\"")
                self._write(f'open("", {"O_WRONLY" if writes else "O_RDONLY"}) = 0<{escaped}>')
        elif event == "socket.bind" and isinstance(arguments[1], tuple):
            self._binding.append(arguments[0])
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            self._write_address("connect", arguments[1])

    def _write_address(self, call: str, address: tuple[Any, ...]) -> None:
        port = f"sa_family=AF_INET, sin_port=htons({int(address[1])})"
        self._write(f'{call}(0, {{{port}, sin_addr=inet_addr("{address[0]}")}})')

    def _write(self, line: str) -> None:
        os.write(self._file, f"{line}\n".encode())


def import_next() -> None:
    """Import the module of this name that would have been imported, if there is one."""
    here = str(Path(__file__).parent)
    paths = [path for path in sys.path if path != here]
    spec = PathFinder.find_spec("sitecustomize", paths)
    if spec and spec.loader:
        spec.loader.exec_module(module_from_spec(spec))


if "BUCKET_AUDIT" in os.environ:
    sys.addaudithook(Observer(os.environ["BUCKET_AUDIT"]))
if any(name.startswith("BUCKET_HELD_") for name in os.environ):
    import_module("_bucket_held")  # beside this one
import_next()
