"""What every runner has: room for stages, and their output and states where a person sees them."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from dvc_bucket.base.console import Console
from dvc_bucket.stages.commands import board, needs, output


class Shown:
    """The part of a runner that does not depend on where commands run.

    Args:
        jobs: how many stages run at once at most.
        limits: what they may need together; None for what this machine has.
        noun: what a command is, for a person.
    """

    is_elsewhere = False

    def __init__(self, jobs: int, limits: needs.Needs | None = None, noun: str = "stage") -> None:
        self.jobs, self._noun = jobs, noun
        self._room = needs.Room(jobs, limits)
        self._console = Console(stderr=True)
        self._is_terminal = sys.stdout.isatty() and self._console.is_terminal

    def check(self, stage: str, meta: Any) -> None:
        """Make sure that what a stage needs can be read."""
        needs.read(stage, meta)

    def take(self, stage: str, meta: Any) -> bool:
        """Take room for a stage; False if there is none."""
        return self._room.take(stage, needs.read(stage, meta))

    def give(self, stage: str) -> None:
        """Give the room of a stage back."""
        self._room.give(stage)

    def showing(self, waiting: int) -> AbstractContextManager[Callable[[str, str], None]]:
        """Show on a terminal how far the stages are."""
        if self._is_terminal:
            return board.shown(waiting, self._console)
        return nullcontext(lambda *_: None)

    def printed(self, stage: str) -> AbstractContextManager[output.Sink]:
        """Print what the command of a stage prints."""
        if self._is_terminal:
            return output.by_line(stage, self._console)
        return output.in_one_piece(f"{self._noun} '{stage}'")

    def has_begun(self, _key: str, _outs: Sequence[Path]) -> bool:
        """Whether an earlier run left a command; what runs on this machine ends with its run."""
        return False

    def recorded(self, _key: str) -> None:
        """A stage is recorded; nothing is kept of commands that ran on this machine."""
