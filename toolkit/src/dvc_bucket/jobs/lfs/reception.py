"""Work for other processes, which give their standard input and output, and wait."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingMixIn, UnixStreamServer
from threading import Thread
from typing import Any


class Reception(ThreadingMixIn, UnixStreamServer):
    """As a context: does in threads what others hand over, and at its end waits for the last.

    Args:
        name: of the socket in the current folder, as a longer path may not fit into its address:
            a word that is its own, a hyphen, a number.
        work: is given two descriptors, and closes them.
    """

    def __init__(self, name: str, work: Callable[[int, int], None]) -> None:
        self._path, self._work = Path(name).absolute(), work
        for path in Path().glob(f"{name.rpartition('-')[0]}-*"):
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(path)):  # its process is dead
                    path.unlink(missing_ok=True)
        before = os.umask(0o077)
        try:
            super().__init__(name, BaseRequestHandler)
        finally:
            os.umask(before)
        Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *details: Any) -> None:
        self._path.unlink(missing_ok=True)
        with suppress(OSError):  # on Linux it wakes the thread that waits for others
            self.socket.shutdown(socket.SHUT_RDWR)
        self.shutdown()
        super().__exit__(*details)

    def finish_request(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Take two descriptors from another process, and work for it."""
        descriptors = socket.recv_fds(request, 1, 2)[1]
        if len(descriptors) == 2:
            self._work(*descriptors)
