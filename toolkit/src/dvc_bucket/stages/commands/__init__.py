"""Commands of stages side by side: the room that they need, their processes, and their output."""

from collections.abc import Sequence


def program(jobs: int) -> Sequence[str]:
    """The module that is DVC and runs so many stages at once, and the words before DVC's own."""
    return (__name__, str(jobs))


def use(jobs: int) -> None:
    """Have DVC of this process run so many stages at once, on this machine."""
    if jobs > 1:
        from dvc_bucket.dvc.patched import side_by_side
        from dvc_bucket.stages.commands.local import LocalRunner

        side_by_side.runner = LocalRunner(jobs)
