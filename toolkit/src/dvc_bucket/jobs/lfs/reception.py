"""Work for other processes, which give their standard input and output, and wait."""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Self


class Reception:
    """As a context: does in threads what others hand over, and at its end waits for the last.

    Args:
        name: of the socket in the current folder, as a longer path may not fit into its address:
            a word that is its own, a hyphen, a number.
        work: is given two descriptors, and closes them.
    """

    def __init__(self, name: str, work: Callable[[int, int], None]) -> None:
        self._path, self._work = Path(name).absolute(), work
        self._threads: list[Thread] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._sweep(name.rpartition("-")[0])
        before = os.umask(0o077)
        try:
            self._socket.bind(name)
        finally:
            os.umask(before)
        self._socket.listen()
        Thread(target=self._receive, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        for thread in self._threads:
            thread.join()

    @staticmethod
    def _sweep(kind: str) -> None:
        """Remove sockets of the dead."""
        for path in Path().glob(f"{kind}-*"):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(path)):
                    path.unlink(missing_ok=True)

    def _receive(self) -> None:
        while True:
            there = self._socket.accept()[0]
            self._threads.append(Thread(target=self._serve, args=(there,)))
            self._threads[-1].start()

    def _serve(self, there: socket.socket) -> None:
        with there:
            descriptors = socket.recv_fds(there, 1, 2)[1]
            if len(descriptors) == 2:
                self._work(*descriptors)
