"""What partitions do in tests; apart, as every process of a pool imports it."""

import os
import signal
import time
from pathlib import Path

from dvc_bucket.stages import StageError


def tagged(number: int, tag: str) -> tuple[str, int]:
    return tag, number * number


def process_of(_: int) -> int:
    return os.getpid()


def slowly(_: int) -> tuple[float, float]:
    """When the work began and ended, on the clock of the machine."""
    begin = time.monotonic()
    time.sleep(0.15)
    return begin, time.monotonic()


def marked(number: int, folder: Path) -> None:
    """Leave a mark; the third and the fifth fail."""
    (folder / str(number)).touch()
    if number == 3:
        raise ValueError("an odd value")
    if number == 5:
        raise StageError("a file that says what is wrong with it.")


def deadly(number: int, folder: Path, times: int) -> int:
    """The process of the fourth dies, so many times."""
    deaths = len(list(folder.iterdir()))
    if number == 4 and deaths < times:
        (folder / str(deaths)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def endless(_: int, folder: Path) -> None:
    """Say which process this is, and never end."""
    (folder / str(os.getpid())).touch()
    signal.pause()
