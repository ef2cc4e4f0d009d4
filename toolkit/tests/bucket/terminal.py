"""A terminal of a test's own, with a program in it and somebody who types."""

import contextlib
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

#: Makes the terminal the program's own, so that Ctrl-C and hidden questions work as for a person.
LOGIN = (
    "import fcntl, os, sys, termios\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)

CTRL_C = b"\x03"


class Terminal:
    """A program on a pseudo-terminal.

    Attributes:
        shown: all that the terminal has shown, what was typed visibly included.
    """

    def __init__(self, command: Sequence[str | Path], cwd: Path, env: Mapping[str, str]) -> None:
        self.shown = ""
        self._seen = 0
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOGIN, *command],
            cwd=cwd,
            env={**env, "TERM": "dumb", "COLUMNS": "200"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    @property
    def pid(self) -> int:
        return self._process.pid

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, to its last blank (from there on a secret is hidden), and type."""
        self.read_until(f"{question}: ")
        os.write(self._master, f"{text}\n".encode())

    def interrupt(self, question: str) -> int:
        """Wait for a question, and press Ctrl-C until the program ends; its exit status.

        Once is enough, but for the moment between Python's writing a question and its reading.
        """
        self.read_until(f"{question}: ")
        for _ in range(20):
            os.write(self._master, CTRL_C)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.end(1.0)
        raise AssertionError(f"it does not end:\n{self.shown}")

    def read_until(self, text: str, seconds: float = 30.0) -> None:
        """Wait until `text` is shown after what was waited for before."""
        deadline = time.monotonic() + seconds
        while (found := self.shown.find(text, self._seen)) < 0:
            assert self._read(deadline), f"no {text!r} in:\n{self.shown}"
        self._seen = found + len(text)

    def end(self, seconds: float = 60.0) -> int:
        """Wait until the program ends; its exit status."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        return self._process.wait(timeout=max(0.5, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
        os.close(self._master)
        print(self.shown)

    def _read(self, deadline: float) -> bool:
        """Read what is shown next; False where the program has ended, or the time has."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        piece = b""
        if ready:
            with contextlib.suppress(OSError):  # Linux: EIO once the program has ended
                piece = os.read(self._master, 65536)
        self.shown += piece.decode(errors="replace").replace("\r\n", "\n")
        return bool(piece)
