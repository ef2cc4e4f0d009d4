"""`bucket` and `dvc` in forks of a process that has imported them.

Most of what a short command takes is its imports. `run` is `subprocess.run`: the installed program
runs in a process of its own, with the folder, the environment and the standard streams that it is
given. Only its modules are there already. A command is started as any other program

- where it is another program than the `bucket` and `dvc` of this Python,
- where its environment could change what Python or a module does as it starts: see `changed`,
- where an option is asked for that a fork does not have,
- on a system without descriptors of processes.
"""

import json
import locale
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

TOOLS = Path(sys.executable).parent

#: The program of the process that forks.
SERVER = Path(__file__).with_name("forking_server.py")

#: What runs in forks of such a process, each in those of its own.
PROGRAMS = ("bucket", "dvc")

#: Beginnings of the variables that programs read when they need them, not as they are imported; of
#: those that choose kernels for computations, of which these programs make none; and of those that
#: a test process has as soon as it imports rasterio, scikit-learn or polars. A fork does itself
#: what `PYTHONUNBUFFERED` asks for.
LATE = """
AWS_ BUCKET_ CI COPIER_ DVC_ GIT_ HOME LOGNAME MAKE MFLAGS NO_COLOR NO_PROXY no_proxy OLDPWD OMP_
OS_ OTHER_OS_ PATH PWD PYTEST_ PYTHONUNBUFFERED SHELL SHLVL SLURM_ TMPDIR USER UV_ XDG_
ARROW_USER_ NPY_ OPENBLAS_
GDAL_CURL_ PROJ_CURL_ KMP_ _RJEM_
"""

#: A locale in which Python starts as in every other one whose encoding is UTF-8.
UTF8 = "C.UTF-8"

#: The environment of the tests as they begin, and of the processes that fork.
BEGIN = dict(os.environ)

#: Options of `subprocess.run` that a fork has.
OPTIONS = {"cwd", "env", "stdin", "capture_output", "text", "timeout", "check"}


def run(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a command as `subprocess.run` does, in a fork where that is the same."""
    environment = options.get("env") or dict(os.environ)
    program = Path(shutil.which(command[0], path=environment.get("PATH")) or "")
    if not can_fork(program, environment, options):
        return subprocess.run(command, **options)
    words = [str(program), *map(str, command[1:])]
    folder = str(options.get("cwd") or Path.cwd())
    done = _forking(program.name).run(words, folder, environment, options.get("timeout"))
    said = [_text(one) if options.get("text") else one for one in done[1:]]
    if options.get("check") and done[0]:
        raise subprocess.CalledProcessError(done[0], command, *said)
    return subprocess.CompletedProcess(command, done[0], *said)


def can_fork(program: Path, environment: Mapping[str, str], options: Mapping[str, Any]) -> bool:
    """Whether a program does the same in a fork."""
    return (
        program.name in PROGRAMS
        and program.parent == TOOLS
        and hasattr(os, "pidfd_open")
        and not changed(environment)
        and set(options) <= OPTIONS
        and bool(options.get("capture_output"))
        and options.get("stdin") in {None, subprocess.DEVNULL}
    )


def changed(environment: Mapping[str, str]) -> set[str]:
    """The variables that could change what Python or a module does as it starts."""
    names = {
        name
        for name in {*environment, *BEGIN}
        if environment.get(name) != BEGIN.get(name) and not name.startswith(tuple(LATE.split()))
    }
    if environment.get("LC_ALL") == UTF8 and locale.getencoding().lower() == "utf-8":
        names.discard("LC_ALL")
    if "PYTHONPATH" not in BEGIN and _adds_only(environment.get("PYTHONPATH", "")):
        names.discard("PYTHONPATH")
    return names


def _adds_only(path: str) -> bool:
    """Whether all modules below folders have names that no module has without them.

    Not so if a folder has installed packages, whose entry points are read, or what Python imports
    as it starts.
    """
    found = [entry for folder in path.split(os.pathsep) for entry in Path(folder).glob("*")]
    names = {entry.stem for entry in found if entry.name != "__pycache__"}
    return (
        all(folder.startswith("/") for folder in path.split(os.pathsep))
        and not any(entry.suffix in {".dist-info", ".egg-info"} for entry in found)
        and names.isdisjoint({"sitecustomize", "usercustomize"})
        and not any(find_spec(name) for name in names if name.isidentifier())
    )


def _text(said: bytes) -> str:
    return said.decode().replace("\r\n", "\n").replace("\r", "\n")


class Forking:
    """The process that forks, of one program; it ends with the tests."""

    def __init__(self, name: str) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, SERVER, name],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=BEGIN,
                cwd=TOOLS,
            )

    def run(
        self,
        words: Sequence[str],
        folder: str,
        environment: Mapping[str, str],
        timeout: float | None = None,
    ) -> tuple[int, bytes, bytes]:
        """Run a program; exit status and what it said on both streams.

        Raises:
            subprocess.TimeoutExpired: it was killed after so many seconds.
        """
        reading, writing = zip(*(os.pipe() for _ in range(3)), strict=True)
        with tempfile.TemporaryFile() as request, Path(os.devnull).open("rb") as nothing:
            request.write(json.dumps([words, folder, dict(environment)]).encode())
            request.flush()
            given = [request.fileno(), nothing.fileno(), *writing]
            socket.send_fds(self._socket, [b"\0"], given)
        for one in writing:
            os.close(one)
        with os.fdopen(reading[-1], "rb", 0, closefd=False) as state:
            pid = int(state.readline())
        ended = _read_all(reading, timeout)
        out, err, status = (b"".join(parts) for parts in ended.parts)
        if ended.is_late:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, timeout or 0, out, err)
        return int(status), out, err


class _read_all:  # noqa: N801 (a function with two results)
    """What comes through pipes until all have ended, or the time is over; they are closed."""

    def __init__(self, pipes: Sequence[int], timeout: float | None) -> None:
        self.parts: list[list[bytes]] = [[] for _ in pipes]
        self.is_late = False
        end = time.monotonic() + timeout if timeout else None
        poll = select.poll()
        waited = dict(zip(pipes, self.parts, strict=True))
        for pipe in pipes:
            poll.register(pipe, select.POLLIN)
        while waited and not self.is_late:
            left = None if end is None else max(0, end - time.monotonic()) * 1000
            ready = poll.poll(left)
            self.is_late = not ready
            for pipe, _ in ready:
                part = os.read(pipe, 1 << 16)
                waited[pipe].append(part)
                if not part:
                    poll.unregister(pipe)
                    del waited[pipe]
        for pipe in pipes:
            os.close(pipe)


_running: dict[str, Forking] = {}
_starting = threading.Lock()


def _forking(name: str) -> Forking:
    with _starting:
        if name not in _running:
            _running[name] = Forking(name)
        return _running[name]


def running() -> set[str]:
    """Programs of which a process forks."""
    return {name for name, one in _running.items() if one.process.poll() is None}
