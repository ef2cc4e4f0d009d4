"""The process that forks: it has imported what the commands of `bucket` or of `dvc` need.

Its argument is the name of the program, its standard input a socket. With each message come five
descriptors: a file with the request, the three streams, and a pipe that gets the process id, then
the exit status, a line each.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import socket
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

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
dulwich.index dvc._debug dvc.dirs dvc_data.hashfile._progress pyparsing rich.status ruamel.yaml
"""
OF_BUCKET = """
obstore numpy.ma packaging.requirements tomllib dvc_bucket.cli.app dvc_bucket.cli.failures
dvc_bucket.cli.repro_options dvc_bucket.dvc.audit dvc_bucket.dvc.command dvc_bucket.dvc.connected
dvc_bucket.dvc.process dvc_bucket.dvc.running dvc_bucket.dvc.snapshot dvc_bucket.git.secrets.scan
dvc_bucket.jobs.check.rebuild dvc_bucket.jobs.doctor dvc_bucket.jobs.report
dvc_bucket.jobs.reproduce dvc_bucket.jobs.save.steps dvc_bucket.read.bucket_objects
dvc_bucket.read.tree dvc_bucket.stages.declared dvc_bucket.store.server
cryptography.x509 cryptography.hazmat.primitives.asymmetric.ec
cryptography.hazmat.primitives.serialization dvc_bucket.connection.clients.forked
dvc_bucket.connection.clients.patient dvc_bucket.dvc.patched.index filelock kingfisher_sdk
pydantic.type_adapter yaml
"""
IMPORTED = {"dvc": OF_DVC.split(), "bucket": [*OF_DVC.split(), *OF_BUCKET.split()]}


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
    path = environment.get("PYTHONPATH", "")
    if path != os.environ.get("PYTHONPATH", ""):
        sys.path[1:1] = path.split(os.pathsep)
    os.environ.clear()
    os.environ.update(environment)
    if environment.get("PYTHONUNBUFFERED"):
        _write_at_once()
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


def _write_at_once() -> None:
    """Have the streams as Python has them where `PYTHONUNBUFFERED` is set.

    DVC, as it is imported, puts colorama around them, which removes colours from a pipe.
    """
    from colorama.ansitowin32 import (  # type: ignore[import-untyped]
        AnsiToWin32,
        StreamWrapper,
    )

    for number, name in enumerate(("stdout", "stderr"), 1):
        before = getattr(sys, name)
        raw = io.FileIO(number, "w", closefd=False)
        stream = io.TextIOWrapper(raw, before.encoding, before.errors, write_through=True)
        setattr(sys, name, AnsiToWin32(stream).stream if type(before) is StreamWrapper else stream)


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
