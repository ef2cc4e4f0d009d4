"""Programs that run to their end and ask nothing."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def ran(
    command: Sequence[str | Path],
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """A program that has ended, with what it printed; its exit status is the caller's to look at.

    Args:
        command: the program and its arguments.
        folder: to run it in; None for the current one.
        environment: all of its environment; None for that of this process.

    Raises:
        FileNotFoundError: there is no such program.
    """
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
