"""What runs the commands of stages side by side: the part that DVC's process leaves to others."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol


class Command(NamedTuple):
    """A command of a stage, as DVC starts it.

    Attributes:
        stage: its name.
        arguments: of the process: a shell, and the command.
        folder: where it runs.
        environment: all of its variables.
        key: the same for the same command with the same inputs, in every run. What stands before
            its first `-` is the same for the same stage.
    """

    stage: str
    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    key: str


class Runner(Protocol):
    """Runs commands, each called in a thread of its own, in the room that there is.

    Attributes:
        jobs: how many stages run at once at most.
        is_elsewhere: commands run on other machines: a single one, too, and on after this process.
    """

    jobs: int
    is_elsewhere: bool

    def check(self, stage: str, meta: Any) -> None:
        """Make sure that what a stage needs can be read from its `meta`.

        Raises:
            ProjectError: it cannot.
        """

    def take(self, stage: str, meta: Any) -> bool:
        """Take room for a stage; False if there is none. A stage that is alone always has it."""

    def give(self, stage: str) -> None:
        """Give the room of a stage back; nothing if that is done."""

    def has_begun(self, key: str, outs: Sequence[Path], /) -> bool:
        """Whether an earlier run left a command of a stage that goes on, or has just ended well.

        A run with other inputs is ended.

        Args:
            key: of the stage and its inputs: that of its commands begins with it.
            outs: its outputs.

        Raises:
            StageError: this cannot be found out.
        """

    def run(self, command: Command) -> int:
        """Run a command to its end; its exit status.

        Raises:
            StageError: it could not be started, or its end could not be seen.
        """

    def recorded(self, key: str, /) -> None:
        """A stage is recorded, and what is known of its commands is not needed any more."""

    def signal(self, number: int) -> None:
        """Send a signal to all that runs, and to what is started from now on."""

    def showing(self, waiting: int) -> AbstractContextManager[Callable[[str, str], None]]:
        """Show how far the stages are, in a block.

        Args:
            waiting: how many have not begun.

        Returns:
            What hears a stage's name, and `running`, `done`, `unchanged`, `failed` or `skipped`.
        """
