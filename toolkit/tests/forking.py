"""`bucket` and `dvc` in forks of a process that has imported them.

Most of what a short command takes is its imports. `run` is `subprocess.run`: the installed program
runs in a process of its own, with the folder, the environment and the standard streams that it is
given. Only its modules are there already. A command is started as any other program

- where it is another program than the `bucket` and `dvc` of this Python,
- where its environment could change what Python or a module does as it starts: it differs from that
  of the tests in more than the variables that `LATE` names,
- where an option is asked for that a fork does not have,
- on a system without descriptors of processes.

As a program, this file is the process that forks: its argument is the program's name, and its
standard input a socket. With each message come five descriptors: a file with the request, the three
streams, and a pipe that gets the process id and then the exit status, a line each.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
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
from pathlib import Path
from typing import Any, NoReturn

TOOLS = Path(sys.executable).parent

#: What the commands of DVC import, and what those of `bucket` import besides. In the process that
#: forks plain `dvc`, nothing is of the toolkit.
OF_DVC = """
dvc.cli dvc.cli.parser dvc.repo dvc_s3 s3fs aiobotocore.session configobj dvc.repo.add
dvc.repo.artifacts dvc.repo.brancher dvc.repo.checkout dvc.repo.data dvc.repo.datasets dvc.repo.diff
dvc.repo.fetch dvc.repo.gc dvc.repo.graph dvc.repo.index dvc.repo.metrics.show dvc.repo.open_repo
dvc.repo.params.show dvc.repo.plots dvc.repo.pull dvc.repo.push dvc.repo.reproduce dvc.repo.stage
dvc.repo.status dvc.repo.trie dvc.cachemgr dvc.data_cloud dvc.dependency.param dvc.lock dvc.rwlock
dvc.stage.cache dvc.stage.run dvc.stage.serialize dvc.utils.strictyaml dvc_data.hashfile.db.local
dvc_data.hashfile.status dvc_data.index.checkout dvc_data.index.fetch dulwich.ignore
dulwich.worktree networkx fsspec.implementations.memory platformdirs.unix rich.text rich.progress
"""
OF_BUCKET = """
obstore numpy.ma packaging.requirements tomllib dvc_bucket.cli.app dvc_bucket.cli.failures
dvc_bucket.cli.repro_options dvc_bucket.dvc.audit dvc_bucket.dvc.command dvc_bucket.dvc.connected
dvc_bucket.dvc.process dvc_bucket.dvc.running dvc_bucket.dvc.snapshot dvc_bucket.git.secrets.scan
dvc_bucket.jobs.check.rebuild dvc_bucket.jobs.doctor dvc_bucket.jobs.report
dvc_bucket.jobs.reproduce dvc_bucket.jobs.save.steps dvc_bucket.read.bucket_objects
dvc_bucket.read.tree dvc_bucket.stages.declared dvc_bucket.store.server
"""
IMPORTED = {"dvc": OF_DVC.split(), "bucket": [*OF_DVC.split(), *OF_BUCKET.split()]}

#: Beginnings of the variables that programs read when they need them, not as they are imported; and
#: of those that a test process has as soon as it imports rasterio, scikit-learn or polars.
LATE = """
AWS_ BUCKET_ CI DVC_ GIT_ HOME LOGNAME NO_COLOR OLDPWD OMP_ OS_ PATH PWD PYTEST_ SHELL SHLVL SLURM_
TMPDIR USER XDG_
GDAL_CURL_ PROJ_CURL_ KMP_ _RJEM_
"""

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
    changed = {
        name
        for name in {*environment, *BEGIN}
        if environment.get(name) != BEGIN.get(name) and not name.startswith(tuple(LATE.split()))
    }
    return (
        program.name in IMPORTED
        and program.parent == TOOLS
        and hasattr(os, "pidfd_open")
        and not changed
        and set(options) <= OPTIONS
        and bool(options.get("capture_output"))
        and options.get("stdin") in {None, subprocess.DEVNULL}
    )


def _text(said: bytes) -> str:
    return said.decode().replace("\r\n", "\n").replace("\r", "\n")


class Forking:
    """The process that forks, of one program; it ends with the tests."""

    def __init__(self, name: str) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, __file__, name],
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


def serve(name: str) -> None:
    """Fork for each request until the tests end."""
    _import(name)
    requests = socket.socket(fileno=os.dup(0))
    running: dict[int, tuple[int, int]] = {}  # by descriptor of the process: its id, and the pipe
    poll = select.poll()
    poll.register(requests, select.POLLIN)
    while True:
        for ready, _ in poll.poll():
            if ready in running:
                _tell(*running.pop(ready))
                poll.unregister(ready)
                os.close(ready)
                continue
            message, given, _, _ = socket.recv_fds(requests, 1, 5, socket.MSG_CMSG_CLOEXEC)
            if not message:
                return
            child = os.fork()
            if not child:
                for other, (_, pipe) in running.items():
                    os.close(other)
                    os.close(pipe)
                _become(requests, *given)
            os.write(given[-1], b"%d\n" % child)
            for one in given[:-1]:
                os.close(one)
            descriptor = os.pidfd_open(child)
            running[descriptor] = child, given[-1]
            poll.register(descriptor, select.POLLIN)


def _import(name: str) -> None:
    """Import what the commands of a program need, and nothing that a fork could not have."""
    if name == "bucket":
        _guard()
    for module in IMPORTED[name]:
        importlib.import_module(module)
    assert name == "bucket" or "dvc_bucket" not in sys.modules
    assert "pygit2" not in sys.modules, "it looks for the home folder as it is imported"
    assert threading.active_count() == 1, "a fork has no other thread of its parent"
    gc.collect()
    gc.freeze()  # so that a fork does not copy what it never changes


def _guard() -> None:
    """Do before DVC is imported what `bucket` does then, except to this process's streams."""
    from dvc_bucket.base import terminal

    streams = sys.stdout, sys.stderr
    terminal.guard()
    sys.stdout, sys.stderr = streams


def _tell(child: int, pipe: int) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(BrokenPipeError):  # whoever asked has stopped waiting
        os.write(pipe, b"%d\n" % status)
    os.close(pipe)


def _become(requests: socket.socket, request: int, *streams: int) -> NoReturn:
    """Run the program in this process, and end with it as Python does."""
    requests.close()
    size = os.fstat(request).st_size
    words, folder, environment = json.loads(os.pread(request, size, 0))
    for number, stream in enumerate(streams[:3]):
        os.dup2(stream, number)
    for stream in (request, *streams):
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv, sys.path[0] = words, str(Path(words[0]).parent)
    status = 1
    try:
        runpy.run_path(words[0], run_name="__main__")
        status = 0
    except SystemExit as end:
        status = _status(end.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    _end(status)


def _status(code: Any) -> int:
    """The exit status that Python makes of the argument of `sys.exit`."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def _end(status: int) -> NoReturn:
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as Python does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


if __name__ == "__main__":
    serve(*sys.argv[1:])
