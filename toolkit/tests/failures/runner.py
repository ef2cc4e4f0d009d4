"""Runs `bucket` many times as its users do, but for the start: a process with all imports forks.

`python -m tests.failures.runner` reads a line of JSON for each command, forks, and the child
becomes `bucket WORDS` in the folder and the environment that the line names. It answers with the
exit status when the child has ended.
"""

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests import TESTS_ROOT
from tests.clones import TOOLS

#: What a command imports when it first needs it, beside the modules of the toolkit.
MODULES = (
    "dvc.cli dvc.repo dvc.repo.push dvc.repo.pull dvc.repo.fetch dvc.repo.status "
    "dvc.repo.reproduce dvc.repo.checkout dvc.repo.add dvc.repo.gc dvc.repo.diff dvc.stage "
    "dvc.output dvc.dvcfile dvc_data.index dvc_data.index.checkout dvc_s3 obstore pyarrow.dataset "
    "pyarrow.parquet botocore"
)


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit status, -9 if it was too slow, and what it printed."""

    status: int
    output: str
    seconds: float


class Runner:
    """Runs commands, one at a time."""

    def __enter__(self) -> Self:
        command = [str(TOOLS / "python"), "-m", "tests.failures.runner"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=TESTS_ROOT,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)

    def run(
        self,
        folder: Path,
        words: Sequence[str],
        environment: Mapping[str, str],
        seconds: float = 60,
        largest: int = -1,
    ) -> Ended:
        """Run `bucket WORDS`.

        Args:
            folder: where.
            words: its arguments.
            environment: all of it.
            seconds: after which it is killed, with all that it started.
            largest: bytes that a file can have; -1 for any.
        """
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(1) as thread:
            pipe = Path(place, "output")  # a limit on the size of files does not concern it
            os.mkfifo(pipe)
            output = thread.submit(pipe.read_bytes)
            asked = [str(folder), list(words), dict(environment), seconds, largest, str(pipe)]
            begin = time.monotonic()
            print(json.dumps(asked), file=self._process.stdin, flush=True)
            status = int(self._process.stdout.readline())
            took = time.monotonic() - begin
            return Ended(status, output.result(20).decode(errors="replace"), took)


def serve() -> None:
    """Fork for each line of standard input."""
    import dvc_bucket

    ours = (found.name for found in pkgutil.walk_packages(dvc_bucket.__path__, "dvc_bucket."))
    for module in (*MODULES.split(), *ours):
        if not module.endswith(("__main__", "sitecustomize")):
            with suppress(ImportError):  # of an extra that is not installed
                importlib.import_module(module)
    for line in sys.stdin:
        folder, words, environment, seconds, largest, output = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            _become(folder, words, environment, largest, output)
        print(_status(child, seconds), flush=True)


def _become(
    folder: str, words: list[str], environment: dict[str, str], largest: int, output: str
) -> None:
    """Be `bucket`."""
    import resource

    from dvc_bucket import cli

    empty, file = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY)
    for descriptor, to in ((empty, 0), (file, 1), (file, 2)):
        os.dup2(descriptor, to)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace")
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    sys.argv = ["bucket", *words]
    status = 1
    try:
        os.chdir(folder)
        if largest >= 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        cli.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _status(child: int, seconds: float) -> int:
    """Wait for a child; kill it and what it started after so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


if __name__ == "__main__":
    serve()
