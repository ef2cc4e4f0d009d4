"""The recorded runs of the stages of a commit, and the outputs that DVC tracks there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.commit.revision import Revision
from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.snapshot import PathRecord, Snapshot, StageRun

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

#: The file that declares stages.
FLOW = "dvc.yaml"


@dataclass(frozen=True)
class Run:
    """The last run of each stage.

    Attributes:
        stages: the runs, each after those whose outputs it reads.
        outs: the outputs that DVC tracks, by path.
    """

    stages: Sequence[StageRun]
    outs: Mapping[str, PathRecord]

    @cached_property
    def makers(self) -> Mapping[str, StageRun]:
        """The run that wrote a path."""
        return {item.path: stage for stage in self.stages for item in stage.writes}

    @cached_property
    def _all_outs(self) -> Mapping[str, PathRecord]:
        """The outputs, with those that only a run records."""
        return {**{item.path: item for run in self.stages for item in run.writes}, **self.outs}

    @property
    def items(self) -> Sequence[PathRecord]:
        """Everything that was read or written, once, in the order of the stages."""
        both = (item for stage in self.stages for item in (*stage.reads, *stage.writes))
        return list(dict.fromkeys(both))

    def output(self, path: str) -> PathRecord | None:
        """The output that is at or around a path; None if there is none."""
        places = (path, *map(str, PurePosixPath(path).parents))
        return next((self._all_outs[place] for place in places if place in self._all_outs), None)


def snapshot_of(source: "Project | Repo", revision: Revision) -> Snapshot:
    """The snapshot of a commit.

    Args:
        source: the project, or the same, opened by DVC.
        revision: the commit.

    Raises:
        ProjectError: DVC cannot read its files.
        LockError: a lock file is not what DVC writes.
    """
    try:
        return Snapshot.at(source, revision.commit)
    except ProjectError:
        for path in revision.named(entries.NAME):
            entries.read(revision.text(path), path)  # names the line and the fix
        raise


def read(project: Project, revision: Revision) -> Run:
    """The runs that the lock files of a commit record.

    Raises:
        ProjectError: no run is recorded, or DVC cannot read its files.
        LockError: a lock file is not what DVC writes.
    """
    run = of(snapshot_of(project, revision))
    if not run.stages:
        raise ProjectError(
            f"{entries.NAME} of the commit {revision.commit[:12]} notes no run of a stage. "
            "`bucket repro` runs them; then commit it."
        )
    return run


def of(snapshot: Snapshot) -> Run:
    """The recorded runs of a snapshot."""
    return Run(snapshot.runs, snapshot.outs)
