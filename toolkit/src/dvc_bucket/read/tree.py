"""What DVC tracks at a revision: every dataset, and the files of each when they are asked for."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from dvc_bucket.base.errors import NotPushedError, NotTrackedError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc import looks
from dvc_bucket.dvc.remote import Lists, Remote
from dvc_bucket.dvc.remote.outputs import opened, outputs
from dvc_bucket.git.contents import Repository, commit_of
from dvc_bucket.read import foreign, kept
from dvc_bucket.read.kept import Dataset as Dataset
from dvc_bucket.read.tracked import TrackedData, TrackedFile, inside, is_within

#: Paths that are listed where DVC does not track the path that was asked for.
MAX_LISTED_PATHS = 8


@dataclass(frozen=True)
class Tree:
    """What DVC tracks at a revision.

    Attributes:
        project: the clone that was asked: the reader's own, or one of another repository.
        rev: the revision as it was asked for; None for the workspace.
        commit: its full id; None for the workspace.
        datasets: all of them, by path.
        remote: that has the objects.
        cache: DVC's cache on this machine, which may have them.
    """

    project: Project
    rev: str | None
    commit: str | None
    datasets: Mapping[str, Dataset]
    remote: Remote
    cache: Path

    @classmethod
    def at(
        cls,
        rev: str | None = None,
        remote: str | None = None,
        repo: str | None = None,
        settings: Settings | None = None,
        start: Path | None = None,
    ) -> "Tree":
        """Have DVC read a revision; errors, and the other arguments, as of `find`.

        The project is the one around the folder `start`; None for the current folder.
        """
        project = foreign.clone(repo) if repo else Project.find(start)
        commit = commit_of(Repository.of(project), rev) if rev else None
        if repo:
            source = foreign.remote_of(project, remote, settings, repo)
        else:
            source = Remote.of(project, settings or Settings.load(project), remote)
        if not (rev or repo) and (known := kept.tracked(project)):
            return cls(project, rev, commit, known.datasets, source, known.cache)
        begun = looks.now()
        with opened(project) as dvc, dvc.switch(commit) if commit else nullcontext():
            cache = Path(dvc.cache.legacy.path)
            datasets = {path: Dataset.of(path, out) for path, out in outputs(dvc)}
            if not (rev or repo):
                kept.keep(project, dvc, kept.Tracked(cache, datasets), begun)
        return cls(project, rev, commit, datasets, source, cache)

    def data(self, path: str | Path) -> TrackedData:
        """The files at a path: a file, a directory, a part of one, or a folder of them.

        Args:
            path: from the project's root, or absolute.

        Raises:
            NotTrackedError: DVC does not track it, or its data is not to be on a remote.
            NotPushedError: it is a directory, and its list of files is nowhere.
            TransferError: the list is on the remote alone, which refused or does not answer.
        """
        asked = inside(self.project, path)
        related = [
            dataset
            for dataset in self.datasets.values()
            if is_within(asked, dataset.path) or is_within(dataset.path, asked)
        ]
        files = [
            file
            for dataset in related
            if not dataset.absence
            for file in self.files(dataset)
            if is_within(file.path, asked)
        ]
        if not files:
            raise NotTrackedError(self._reason(asked, related))
        files.sort(key=lambda file: file.path)
        return self.data_of(asked, files)

    def around(self, path: str) -> Dataset | None:
        """The dataset that a path is, or is in; None if there is none."""
        paths = (path, *map(str, PurePosixPath(path).parents))
        return next((self.datasets[one] for one in paths if one in self.datasets), None)

    def data_of(self, path: str, files: Sequence[TrackedFile]) -> TrackedData:
        """Files of this tree, as data at a path."""
        reader = Project.around() or self.project
        return TrackedData(path, self.rev, self.commit, files, self.remote, self.cache, reader)

    def files(self, dataset: Dataset) -> Sequence[TrackedFile]:
        """The files of a dataset; errors as of `data`, and of `origins.files`."""
        if dataset.origin:
            from dvc_bucket.read import origins

            return origins.files(dataset, self.cache)
        if not dataset.is_directory:
            return [TrackedFile(dataset.path, dataset.name, dataset.size)]
        members = self._lists.members(dataset.name)
        if members is None:
            raise NotPushedError(
                f"{dataset.path} is a directory whose list of files is missing or damaged in the "
                "cache and on the remote. Run `bucket push` in a clone that has it."
            )
        size, count = dataset.size, dataset.file_count
        mean = size // count if size is not None and count else None
        return [
            TrackedFile(f"{dataset.path}/{path}", member, mean_size=mean)
            for path, member in members
        ]

    @cached_property
    def _spool(self) -> "tempfile.TemporaryDirectory[str]":
        return tempfile.TemporaryDirectory(prefix="bucket-lists-", ignore_cleanup_errors=True)

    @cached_property
    def _lists(self) -> Lists:
        return Lists(self.cache, self.remote, Path(self._spool.name))

    def _reason(self, asked: str, related: Sequence[Dataset]) -> str:
        """Why nothing was found."""
        when = f" at {self.rev}" if self.rev else ""
        if absent := [dataset for dataset in related if dataset.absence]:
            last = absent[-1]
            return f"{asked}{when} has no data to read: {last.path} is {last.absence}."
        names = sorted(self.datasets)
        listed = ", ".join(names[:MAX_LISTED_PATHS]) or "nothing"
        more = ", ..." if len(names) > MAX_LISTED_PATHS else ""
        return (
            f"DVC does not track {asked or 'anything'}{when}. It tracks {listed}{more}; "
            "`bucket ls` lists the files. Paths are from the project's root."
        )


def find(
    path: str | Path,
    rev: str | None = None,
    remote: str | None = None,
    repo: str | None = None,
    settings: Settings | None = None,
) -> TrackedData:
    """Look up what DVC tracks at `path`: a file, a directory, a part of one, or a folder of them.

    Args:
        path: from the project's root, or absolute.
        rev: branch, tag or commit; None for the workspace.
        remote: DVC's name of the remote; None for the default one.
        repo: URL or folder of another repository; None for the project around the current folder.
        settings: the connection; None for that of the environment and `.env`.

    Raises:
        NotTrackedError: DVC does not track it there, or its data is not to be on a remote.
        NotPushedError: it is a directory, and its list of files is nowhere.
        RevisionError: there is no such revision.
        ProjectError: this is no project, or DVC cannot read it.
        SettingsError: the connection is not set up.
    """
    return Tree.at(rev, remote, repo, settings).data(path)
