"""Commands of stages side by side: where they run, the room that they need, and their output."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple


class Where(NamedTuple):
    """Where the commands of stages run, and how many at once.

    Attributes:
        jobs: how many at once at most; 0 for the least that makes sense there.
        sbatch: options of `sbatch`, if each command is a job of Slurm; None if it runs here.
    """

    jobs: int = 0
    sbatch: Sequence[str] | None = None


def program(where: Where) -> Sequence[str]:
    """The module that is DVC and runs commands there, and the words before DVC's own."""
    sbatch = () if where.sbatch is None else (shlex.join(where.sbatch),)
    return (__name__, str(where.jobs), str(len(sbatch)), *sbatch)


def from_words(words: Sequence[str]) -> tuple[Where, Sequence[str]]:
    """What `program` was told, and DVC's own words after it."""
    jobs, has_sbatch, *rest = words
    if has_sbatch == "0":
        return Where(int(jobs)), rest
    return Where(int(jobs), shlex.split(rest[0])), rest[1:]


def use(where: Where) -> None:
    """Have DVC of this process run commands there.

    Raises:
        ProjectError: this is no DVC project.
    """
    from dvc_bucket.dvc.patched import side_by_side

    if where.sbatch is not None:
        from dvc_bucket.base.paths import Project
        from dvc_bucket.stages.commands.slurm import JOBS, SlurmRunner

        folder = Project.find().root / ".dvc" / "tmp" / "bucket-slurm"
        side_by_side.runner = SlurmRunner(where.jobs or JOBS, folder, where.sbatch)
    elif where.jobs > 1:
        from dvc_bucket.stages.commands.local import LocalRunner

        side_by_side.runner = LocalRunner(where.jobs)
