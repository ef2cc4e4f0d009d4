"""Programs and a temporary folder that end with the check, however it ends."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

import psutil

from dvc_bucket.base import ending, scratch
from dvc_bucket.base.terminal import say

#: Time for a program to end after SIGTERM.
GRACE_SECONDS = 3.0

#: Between two attempts to remove a folder to which a process still wrote.
AGAIN_SECONDS = 0.05


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    on_line: Callable[[str], None] | None = None,
    seconds: float | None = None,
    one_cpu: bool = False,
) -> int:
    """Run a program and return its exit status; an exception here ends it and its children.

    Args:
        command: the program and its arguments.
        cwd: folder to run it in.
        env: all of its environment.
        log: file to which its standard error is added, and its output if `on_line` is None.
        on_line: hears each whole line of standard output.
        seconds: that it has; None for any time.
        one_cpu: it and its children have one CPU, where the system can do that.

    Raises:
        TimeoutExpired: it took longer, and was ended.
    """
    with log.open("ab") as said, _affinity(one_cpu=one_cpu):
        out = subprocess.PIPE if on_line else said
        process = _start(command, cwd=cwd, env=dict(env), stdout=out, stderr=said)
    try:
        for line in process.stdout or []:
            # The last one of a process that was killed can be half.
            if on_line and line.endswith("\n"):
                on_line(line[:-1])
        return process.wait(seconds)
    finally:
        if process.stdout:
            process.stdout.close()
        _end(process)


#: As text, whatever the program prints; Ctrl-C is for us, and we end it.
_start = partial(
    subprocess.Popen,
    stdin=subprocess.DEVNULL,
    text=True,
    encoding="utf-8",
    errors="replace",
    start_new_session=True,
)


@contextmanager
def _affinity(*, one_cpu: bool) -> Iterator[None]:
    """Keep this thread on one CPU, as the programs then are that it starts."""
    if not one_cpu or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])


@contextmanager
def temporary_folder(*, keep: bool) -> Iterator[Path]:
    """A folder that is removed at the end, also after a signal, unless it is to be kept.

    Raises:
        CheckError: programs run in no folder for temporary files.
    """
    with scratch.usable() as (place, fault):
        if fault:
            say(fault)
        yield from _removed(place, keep=keep)


def _removed(place: Path, *, keep: bool) -> Iterator[Path]:
    """A folder in another one, until the generator goes on."""
    with ending.heard(_stop):
        folder = Path(tempfile.mkdtemp(prefix="bucket-check-", dir=place)).resolve()
        try:
            yield folder
        finally:
            for number in ending.ENDING:  # a second signal must not stop the removal
                signal.signal(number, signal.SIG_IGN)
            if not keep:
                _remove(folder)


def _stop(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


def _end(process: subprocess.Popen[str]) -> None:
    """End a program and all processes that it started."""
    if process.poll() is None:
        members = [psutil.Process(process.pid)]
        with contextlib.suppress(psutil.Error):
            members += members[0].children(recursive=True)
        for member in members:
            with contextlib.suppress(psutil.Error):
                member.terminate()
        _, alive = psutil.wait_procs(members, GRACE_SECONDS)
        for member in alive:
            with contextlib.suppress(psutil.Error):
                member.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _remove(folder: Path) -> None:
    """Remove a folder; a process that was just killed may still write to it for a moment."""
    until = time.monotonic() + GRACE_SECONDS
    while folder.exists() and time.monotonic() < until:
        for place, folders, _ in os.walk(folder):
            for path in [Path(place, name) for name in folders]:
                with contextlib.suppress(FileNotFoundError):
                    if not path.is_symlink():
                        path.chmod(0o700)  # its files cannot be removed without it
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(AGAIN_SECONDS if folder.exists() else 0)
