"""Stages that several experiments have in common: one runs them, the others take the results.

DVC keeps the results of every stage in its run cache. Of experiments that run at once, each would
come to a common stage before any has put it there; so a stage waits while another process runs it
with the same command, inputs and parameters.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dvc_bucket.dvc.patched import left
from dvc_bucket.dvc.patched.channel import logger
from dvc_bucket.dvc.patched.replacement import replacement

#: What became of a stage, as the record has it.
RAN, TAKEN = "ran", "taken"

#: The file beside the record that the processes of all experiments have locked.
ALIVE = "alive"

#: Where an experiment's process notes a line for each stage; None in any other process. In the
#: same folder are the locks of the stages that run.
record: Path | None = None

#: Whether the stage that runs was taken from the run cache.
_is_taken = False


@replacement
def run(original: Callable[..., None], stage: Any, *arguments: Any, **named: Any) -> None:
    """DVC's `Stage.run`, which lets no other experiment run the same at the same time."""
    global _is_taken
    if record is None or stage.frozen or not stage.cmd:
        original(stage, *arguments, **named)
        return
    with _alone(record.parent, stage):
        _is_taken = False
        original(stage, *arguments, **named)
        with record.open("a", encoding="utf-8") as file:
            file.write(f"{TAKEN if _is_taken else RAN}\n")


@replacement
def restore(original: Callable[..., None], *arguments: Any, **named: Any) -> None:
    """DVC's `StageCache.restore`, whose success is noted: it raises where there is no entry."""
    global _is_taken
    original(*arguments, **named)
    _is_taken = True


@contextmanager
def _alone(folder: Path, stage: Any) -> Iterator[None]:
    """Wait until no other process runs the stage; the kernel frees the lock of one that died."""
    with (folder / f"{left.key(stage)}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("Stage '%s' runs in another experiment: waiting for it.", stage.addressing)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
