"""`python killed.py LOCK ROUNDS`: children that record stages in a lock file, and are killed.

Prints how many entries the file has after each. A child ends in the middle of its work.
"""

import logging
import os
import random
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dvc.dvcfile import Lockfile
from dvc.fs import localfs
from dvc.stage import serialize

from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.patched import recording

#: The longest life of a child, in seconds: DVC's own function needs most of it for a stage.
MAX_DELAY_SECONDS = 0.15


def main(lock: Path, rounds: int, way: str) -> None:
    """Kill so many children, which record by `ours` or by `dvc`."""
    logging.disable()
    names = list(entries.stages(entries.read(lock.read_text())))
    serialize.to_lockfile = lambda stage: {stage.name: stage.entry}
    dump = Lockfile.dump_stages
    if way == "ours":
        dump = recording.record(dump)
    chance = random.Random(rounds)
    for number in range(rounds):
        before = _state(lock)
        child = os.fork()
        if not child:
            _record(dump, lock, names, number)
        while _state(lock) == before:
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, MAX_DELAY_SECONDS))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        print(len(entries.stages(entries.read(lock.read_text()))), flush=True)


def _state(lock: Path) -> tuple[int, int]:
    """Differs as soon as the file is written, or another one is in its place."""
    stat = lock.stat()
    return stat.st_ino, stat.st_mtime_ns


def _record(dump: Any, lock: Path, names: list[str], number: int) -> None:
    """Record stages until the end."""
    context = SimpleNamespace(track_file=lambda _: None)
    repo = SimpleNamespace(fs=localfs, scm_context=context)
    file = SimpleNamespace(path=str(lock), relpath=lock.name, repo=repo)
    while True:
        for name in names:
            entry = {"cmd": f"echo {number} {time.monotonic_ns()}"}
            dump(file, [SimpleNamespace(name=name, entry=entry)])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
