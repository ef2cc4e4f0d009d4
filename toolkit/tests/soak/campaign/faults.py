"""Commands of the product, run whole or with a fault at a random moment."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

import psutil

from tests.soak.campaign.sandbox import Sandbox, children

Fault = Literal["kill", "disk", "store"]

#: No command takes longer, however loaded the machine.
SECONDS = 120

#: Bytes that a full disk still has: none, or enough to fill it in the middle of something.
LEFT = (0, 4096, 16384, 65536, 262144)

#: What a command takes that has not run yet.
USUAL_SECONDS = 2.0


@dataclass(frozen=True)
class Outcome:
    """What a command did.

    Attributes:
        status: its exit status; negative where a signal ended it.
        said: its output, both streams.
    """

    status: int
    said: str

    def complaint(self) -> str | None:
        """What is wrong with the way that it ended; None if nothing is."""
        if "Traceback (most recent call last)" in self.said:
            return "a traceback"
        if self.status > 0 and not self.said.strip():
            return f"exit status {self.status} without a word"
        return None


class Runner:
    """Runs commands in the clone of a sandbox.

    Args:
        box: the sandbox.
        random: decides on moments.
    """

    def __init__(self, box: Sandbox, random: Random) -> None:
        self._box, self.random = box, random
        self._seconds: dict[str, float] = {}

    def whole(self, words: Sequence[str]) -> Outcome:
        """Run a command to its own end."""
        start = time.monotonic()
        outcome = self._run(words, None)
        self._seconds[" ".join(words[:3])] = time.monotonic() - start
        return outcome

    def with_fault(self, words: Sequence[str], fault: Fault) -> Outcome:
        """Run a command and let the fault happen; the machine is well again afterwards."""
        if fault == "disk":
            with self._box.nearly_full(self.random.choice(LEFT)):
                return self._run(words, None)
        try:
            return self._run(words, fault)
        finally:
            if fault == "store":
                self._box.start_store()

    def _run(self, words: Sequence[str], fault: Fault | None) -> Outcome:
        with tempfile.TemporaryFile() as said:  # outside the disk that is full
            process = subprocess.Popen(
                words,
                cwd=self._box.clone,
                env=self._box.environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            family: list[psutil.Process] = []
            try:
                if fault:
                    usual = self._seconds.get(" ".join(words[:3]), USUAL_SECONDS)
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(self.random.uniform(0, 1.1) * usual)
                    family = children(process.pid)
                    self._strike(process, fault)
                process.wait(SECONDS)
            finally:
                _end(process, family)
            said.seek(0)
            return Outcome(process.returncode, said.read().decode(errors="replace"))

    def _strike(self, process: "subprocess.Popen[bytes]", fault: Fault) -> None:
        if fault == "store":
            self._box.kill_store()
        else:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _end(process: "subprocess.Popen[bytes]", family: list[psutil.Process]) -> None:
    """Leave nothing that the process started and that still writes."""
    family = family or children(process.pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    for left in alive:
        left.kill()


def clear_locks(box: Sandbox) -> None:
    """Remove the locks that a killed git leaves, as git asks for."""
    for name, git_dir in box.repositories():
        del name
        for lock in (*git_dir.glob("*.lock"), *git_dir.glob("refs/**/*.lock")):
            lock.unlink()
    shutil.rmtree(box.root / "tmp", ignore_errors=True)
    (box.root / "tmp").mkdir()
