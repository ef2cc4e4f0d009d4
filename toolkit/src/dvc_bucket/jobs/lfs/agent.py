"""The agent that git-lfs moves its objects with: JSON on standard input and output, a line each.

Source of the protocol: git-lfs, `docs/custom-transfers.md`. git-lfs starts eight of these one after
the other, each when the one before has answered `init`, and then asks for objects. The first one
connects meanwhile. The last answer to `init` says whether the store serves us, so that git says in
one line what else it would say of every object. All but the first are a few lines in `agent.sh`:
they give the first one their pipes, and wait.
"""

import json
import os
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingMixIn, UnixStreamServer
from threading import Thread
from typing import TYPE_CHECKING, Any, TextIO

from dvc_bucket.base.paths import Project

if TYPE_CHECKING:
    from dvc_bucket.jobs.lfs.objects import Objects

Message = dict[str, Any]

#: Between two reports of progress.
TICK_SECONDS = 0.1

#: Codes of failures: HTTP's, as those of single objects in git-lfs's `docs/api/batch.md`.
REFUSED, MISSING, DAMAGED, FAILED = 403, 404, 422, 500


class Connection:
    """The objects of a project, made in a thread.

    Args:
        connect: makes them.
        is_shared: agents that git-lfs starts later work here, too.
    """

    def __init__(self, connect: "Callable[[], Objects]", *, is_shared: bool) -> None:
        self._made: Future[Objects] = Future()
        self._inits, self._is_shared = count(1), is_shared
        Thread(target=self._make, args=[connect], daemon=True).start()

    def _make(self, connect: "Callable[[], Objects]") -> None:
        try:
            self._made.set_result(connect())
        except BaseException as error:  # of a thread: each agent tells it
            self._made.set_exception(error)

    def objects(self) -> "Objects":
        """The objects; it raises what `connect` raised."""
        return self._made.result()

    def begin(self, request: Message) -> None:
        """Take an `init`. The last one waits for the connection, and raises what `connect` raised.

        Args:
            request: the message, which has the number of agents.
        """
        agents = request.get("concurrenttransfers", 1) if request.get("concurrent") else 1
        is_last = next(self._inits) >= agents or not self._is_shared
        if is_last or self._made.done():
            self.objects()


def serve(connection: Connection, requests: TextIO, answers: TextIO) -> None:
    """Answer git-lfs at one pair of pipes until it sends `terminate`, or is gone."""

    def send(message: Message) -> None:
        print(json.dumps(message), file=answers, flush=True)

    for line in requests:
        request = json.loads(line)
        if request["event"] == "terminate":
            return
        is_init = request["event"] == "init"
        answer = {} if is_init else {"event": "complete", "oid": request["oid"]}
        try:
            if is_init:
                connection.begin(request)
            else:
                answer |= _move(connection.objects(), request, send)
        except Exception as error:  # the edge to git-lfs, which hears of each object
            answer["error"] = _failure(error)
        send(answer)


def _move(objects: "Objects", request: Message, send: Callable[[Message], None]) -> Message:
    """Move an object and report the progress; return the rest of the answer."""
    oid, size, is_upload = request["oid"], request["size"], request["event"] == "upload"
    transfer = objects.upload(oid, size, request["path"]) if is_upload else objects.download(oid)
    sent, is_done = 0, False
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(transfer.run)
        while not is_done:
            is_done = bool(wait([running], TICK_SECONDS).done)
            moved = size if is_done and not running.exception() else transfer.moved()
            if moved > sent:
                sizes = {"bytesSoFar": moved, "bytesSinceLast": moved - sent}
                send({"event": "progress", "oid": oid} | sizes)
                sent = moved
    path = running.result()
    return {"path": path} if path else {}


def _failure(error: Exception) -> Message:
    """A failure as the protocol has it, its message one line."""
    from dvc_bucket.base.errors import BucketError, MissingObjectError
    from dvc_bucket.connection import log
    from dvc_bucket.transfer.errors import StoreRefusedError, WrongContentError

    log.failed(error)
    kinds: dict[Any, int] = {
        StoreRefusedError: REFUSED,
        (MissingObjectError, FileNotFoundError): MISSING,
        WrongContentError: DAMAGED,
    }
    code = next((code for kind, code in kinds.items() if isinstance(error, kind)), FAILED)
    text = str(error) if isinstance(error, BucketError) else f"{type(error).__name__}: {error}"
    return {"code": code, "message": " ".join(text.split())}


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


def main(storage: Path) -> None:
    """Be an agent, and do the work of those that the same git-lfs starts after it.

    Args:
        storage: git-lfs's folder.
    """
    project, folder = Project.find(), storage.resolve() / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    pipes = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # what is printed is no answer

    name = f"bucket-{os.getppid()}"

    def connect() -> "Objects":
        from dvc_bucket.jobs.lfs.objects import Objects

        with ExitStack() as if_it_fails:  # git-lfs ends then, perhaps before this process
            if_it_fails.callback((folder / name).unlink, missing_ok=True)
            objects = Objects(project, folder)
            if_it_fails.pop_all()
        return objects

    def work(requests: int, answers: int) -> None:
        with (
            suppress(BrokenPipeError, KeyboardInterrupt),  # git-lfs is gone
            os.fdopen(answers, "w", encoding="utf-8") as output,
            os.fdopen(requests, encoding="utf-8") as source,
        ):
            serve(connection, source, output)

    with ExitStack() as until_the_end:
        is_shared = False
        with suppress(OSError):  # no sockets on this file system: each works for itself
            until_the_end.enter_context(Reception(name, work))
            is_shared = True
        connection = Connection(connect, is_shared=is_shared)
        work(*pipes)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
