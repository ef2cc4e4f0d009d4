"""A commit as git and DVC record it: its files, its stages, and where its data is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import CONFIG, Project
from dvc_bucket.connection import dvc_config
from dvc_bucket.dvc import hashes as dvc_hashes
from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.snapshot import PathRecord, Snapshot, StageRun
from dvc_bucket.git.revision import Revision

if TYPE_CHECKING:
    from configobj import ConfigObj

    from dvc_bucket.dvc.patched.types import Repo

#: Options of a remote that keeps files by their paths, not by their hashes.
BY_PATH = ("worktree", "version_aware")


@dataclass(frozen=True)
class CommitView:
    """A commit.

    Attributes:
        revision: its files.
        snapshot: its stages and data.
    """

    revision: Revision
    snapshot: Snapshot
    _in_git: dict[PathRecord, bool] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, source: "Project | Repo", revision: Revision) -> "CommitView":
        """Have DVC read a commit.

        Args:
            source: the project, or the same, opened by DVC.
            revision: the commit.

        Raises:
            ProjectError: DVC cannot read its files.
            LockError: a lock file is not what DVC writes.
        """
        try:
            return cls(revision, Snapshot.at(source, revision.commit))
        except ProjectError:
            for path in revision.named(entries.NAME):
                entries.read(revision.text(path), path)  # its error names the line and the fix
            raise

    @property
    def commit(self) -> str:
        """Full id."""
        return self.revision.commit

    @property
    def shown(self) -> list[str]:
        """Paths of metrics and plots."""
        return list(dict.fromkeys([*self.snapshot.metrics, *self.snapshot.plots]))

    @cached_property
    def makers(self) -> Mapping[str, StageRun]:
        """The recorded run that wrote a path, by path."""
        return {record.path: run for run in self.snapshot.runs for record in run.writes}

    @cached_property
    def _outputs(self) -> Mapping[str, PathRecord]:
        """The declared outputs, and those that only a run records, by path."""
        written = {record.path: record for run in self.snapshot.runs for record in run.writes}
        return {**written, **self.snapshot.outs}

    def output(self, path: str) -> PathRecord | None:
        """The output at a path, or the one that the path is in; None if there is none."""
        paths = (path, *map(str, PurePosixPath(path).parents))
        return next((self._outputs[path] for path in paths if path in self._outputs), None)

    def is_in_git(self, record: PathRecord) -> bool:
        """Whether git has the recorded content at this commit."""
        if record not in self._in_git:
            self._in_git[record] = record.hash == self._hash_in_git(record)
        return self._in_git[record]

    def has_changed(self, record: PathRecord) -> bool:
        """Whether git has another content at the path than the recorded one."""
        is_there = record.path in self.revision.files or self.revision.below(record.path)
        if not is_there or self.is_in_git(record):
            return False
        # The folder of an output can have files in git beside it, such as a .gitignore.
        return not record.is_directory or self.output(record.path) is None

    def address(self, record: PathRecord) -> str:
        """Where `dvc push` puts the content; empty if it does not, or if that is not known.

        Of a directory: the list of its files.
        """
        out = self.output(record.path)
        if not out or not out.is_pushed or not out.is_cached or out.is_imported:
            return ""
        core = self._config.get("core", {})
        remote = self._config.get(f'remote "{out.remote or core.get("remote", "")}"', {})
        url = str(remote.get("url", ""))
        is_by_path = any(str(remote.get(option)).lower() == "true" for option in BY_PATH)
        name = record.object_name
        if name is None or "://" not in url or is_by_path:
            return ""
        return f"{url.rstrip('/')}/{ids.path(name)}"

    @cached_property
    def _config(self) -> "ConfigObj":
        return dvc_config.parsed(self.revision.text(CONFIG), CONFIG)

    def _hash_in_git(self, record: PathRecord) -> str:
        """The hash of what git has at the path; empty if it has nothing there."""
        folder = f"{record.path}/"
        if record.is_directory:
            return dvc_hashes.of_directory(
                (path.removeprefix(folder), dvc_hashes.of_bytes(self.revision.read(path)))
                for path in self.revision.below(record.path)
            )
        if record.path not in self.revision.files:
            return ""
        return dvc_hashes.of_bytes(self.revision.read(record.path), legacy=record.is_legacy)
