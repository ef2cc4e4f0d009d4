"""Runs commands of stages as processes of this machine."""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from dvc_bucket.dvc.running import Command
from dvc_bucket.stages.commands.shown import Shown

#: How long output is waited for after a command ended: a program that it left may hold the pipe.
SECONDS_AFTER_END = 1.0

#: How often to look whether a silent command ended.
POLL_SECONDS = 0.2

#: Bytes that are read at once.
PIECE = 65536


class LocalRunner(Shown):
    """Runs commands here, each in a process group of its own, so that Ctrl-C is ours to pass on.

    Args:
        jobs: how many stages run at once at most.
        noun: what a command is, for a person.
    """

    def __init__(self, jobs: int, noun: str = "stage") -> None:
        super().__init__(jobs, noun=noun)
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._changing = threading.Lock()
        self._signal = 0

    def run(self, command: Command) -> int:
        """Run a command to its end; its exit status."""
        # By the number of jobs alone no result may change: the threads of a stage stay as many.
        waiting = {"OMP_WAIT_POLICY": "PASSIVE"} | dict(command.environment)
        with subprocess.Popen(
            command.arguments,
            cwd=command.folder,
            env=waiting,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        ) as process:
            with self._changing:
                self._processes.add(process)
                if self._signal:  # Ctrl-C came before the process did
                    _send(process, self._signal)
            try:
                with self.printed(command.stage) as take:
                    for data in _output(process):
                        take(data)
                return process.wait()
            finally:
                with self._changing:
                    self._processes.discard(process)

    def signal(self, number: int) -> None:
        """Send a signal to all that runs, and to what is started from now on."""
        with self._changing:
            self._signal = number
            for process in self._processes:
                _send(process, number)


def _send(process: "subprocess.Popen[bytes]", number: int) -> None:
    """Send a signal to a process and its children; a stopped one hears it, too."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
        os.killpg(process.pid, signal.SIGCONT)


def _output(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """What a process prints, piece by piece, until shortly after its end."""
    pipe = process.stdout
    if pipe is None:
        raise ValueError("its output is a pipe")
    end: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while end is None or time.monotonic() < end:
            if selector.select(POLL_SECONDS):
                data = os.read(pipe.fileno(), PIECE)
                if not data:
                    return
                yield data
            if end is None and process.poll() is not None:
                end = time.monotonic() + SECONDS_AFTER_END
