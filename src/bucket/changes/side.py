"""A commit, as it is compared: its stages, their recorded runs, and its data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bucket.dvc_plane.snapshot import Snapshot
from bucket.provenance import places, run
from bucket.provenance.places import Places
from bucket.provenance.revision import Revision
from bucket.provenance.run import Run

if TYPE_CHECKING:
    from bucket.dvc_plane.patched.index import Repo


@dataclass(frozen=True)
class CommitView:
    """A commit.

    Attributes:
        revision: its files.
        snapshot: its stages and data.
        run: the recorded runs of its stages.
        places: where its data is.
    """

    revision: Revision
    snapshot: Snapshot
    run: Run
    places: Places

    @property
    def commit(self) -> str:
        """Full id."""
        return self.revision.commit

    @property
    def shown(self) -> list[str]:
        """Paths of metrics and plots."""
        return list(dict.fromkeys([*self.snapshot.metrics, *self.snapshot.plots]))


def read(repo: "Repo", revision: Revision) -> CommitView:
    """A commit, read by DVC and git.

    Raises:
        LockError, ProjectError: DVC cannot read one of its files.
    """
    snapshot = run.snapshot_of(repo, revision)
    runs = run.of(snapshot)
    return CommitView(revision, snapshot, runs, places.of(revision, runs))
