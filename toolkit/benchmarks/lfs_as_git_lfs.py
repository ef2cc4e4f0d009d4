"""Starts the agent as git-lfs does, and asks it for every object of a folder, in one direction.

`python benchmarks/lfs_as_git_lfs.py OBJECTS upload` in a clone where `bucket lfs setup` was; with
`download` the objects of that folder are fetched to others. Eight processes are started one after
the other; the second to the eighth are asked once the first has moved something.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, cast

#: git-lfs's own number: `lfs.concurrenttransfers`.
PROCESSES = 8

AGENT = ["sh", ".git/bucket-lfs-agent"]


class Worker:
    """One of the processes."""

    def __init__(self, operation: str) -> None:
        self._process = subprocess.Popen(
            AGENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._say(event="init", operation=operation, concurrent=True, concurrenttransfers=PROCESSES)
        if found := self._answer():
            sys.exit(str(found))

    def work(self, operation: str, todo: "SimpleQueue[Path]", has_begun: threading.Event) -> None:
        """Ask for one object after the other."""
        try:
            while True:
                path = todo.get_nowait()
                size = path.stat().st_size
                self._say(event=operation, oid=path.name, size=size, path=str(path))
                answer = {"event": "progress"}
                while answer["event"] == "progress":
                    answer = self._answer()
                    has_begun.set()
                if "error" in answer:
                    sys.exit(str(answer))
        except Empty:
            self._say(event="terminate")
            self._process.wait()

    def _say(self, **message: Any) -> None:
        stream = cast(IO[str], self._process.stdin)
        stream.write(json.dumps(message) + "\n")
        stream.flush()

    def _answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(cast(IO[str], self._process.stdout).readline())
        return found


def main(objects: Path, operation: str) -> None:
    """Move all of them."""
    todo: SimpleQueue[Path] = SimpleQueue()
    for path in objects.absolute().glob("*/*/*"):
        todo.put(path)
    workers = [Worker(operation) for _ in range(PROCESSES)]
    has_begun = threading.Event()
    threads = [
        threading.Thread(target=one.work, args=(operation, todo, has_begun)) for one in workers
    ]
    threads[0].start()
    has_begun.wait()
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
