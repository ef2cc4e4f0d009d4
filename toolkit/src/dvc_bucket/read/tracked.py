"""From a path and a revision to the objects that hold its bytes."""

import os
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import NotPushedError, NotTrackedError, ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.remote import Lists, Remote, ids
from dvc_bucket.dvc.remote.outputs import absence, name_of, opened, outputs
from dvc_bucket.git.contents import Repository, commit_of
from dvc_bucket.read import foreign

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output

#: How many paths are named where the one that was asked for is not tracked.
NAMED_PATHS = 8


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """A file that DVC tracks, alone or in a directory.

    Attributes:
        path: from the project's root.
        name: of its object.
        size: in bytes as DVC noted it; None in a directory, of whose files it does not.
        mean_size: of all files of the directory, in bytes; None where DVC did not note it either.
    """

    path: str
    name: bytes
    size: int | None = None
    mean_size: int | None = None


@dataclass(frozen=True)
class Tracked:
    """What DVC tracks at a path.

    Attributes:
        path: as it was asked for, from the project's root.
        rev: the revision as it was asked for; None for the workspace.
        files: in order of their paths; the path itself if that is a file.
        remote: that has the objects.
        cache: DVC's cache on this machine, which may have them.
        project: the clone of the person who reads, which keeps the notes of proofs.
    """

    path: str
    rev: str | None
    files: Sequence[TrackedFile]
    remote: Remote
    cache: Path
    project: Project

    @property
    def title(self) -> str:
        """Path and revision for messages."""
        return self.path + (f" of {self.rev}" if self.rev else "")

    def cached(self, file: TrackedFile) -> Path:
        """Where the cache has the file, if it has it."""
        return self.cache / ids.path(file.name)

    def key(self, file: TrackedFile) -> str:
        """Key of the file's object in the bucket."""
        return self.remote.key(file.name)


def find(
    path: str | Path,
    rev: str | None = None,
    remote: str | None = None,
    repo: str | None = None,
    settings: Settings | None = None,
) -> Tracked:
    """Look up what DVC tracks at `path`: a file, a directory, a part of one, or a folder of them.

    Args:
        path: from the project's root, or absolute.
        rev: branch, tag or commit; None for the workspace.
        remote: DVC's name of the remote; None for the default one.
        repo: URL or folder of another repository; None for the project around the current folder.
        settings: the connection; None for that of the environment and `.env`.

    Raises:
        NotTrackedError: DVC does not track it there, or its data is not to be on a remote.
        NotPushedError: it is a directory, and nobody has the list of its files.
        RevisionError: there is no such revision.
        ProjectError: this is no project, or DVC cannot read it.
        SettingsError: the connection is not set up.
    """
    project = foreign.clone(repo) if repo else Project.find()
    asked = inside(project, path)
    commit = commit_of(Repository.of(project), rev) if rev else None
    if repo:
        meant = foreign.remote_of(project, remote, settings)
    else:
        meant = Remote.of(project, settings or Settings.load(project), remote)
    search = _Search(asked, rev)
    with (
        opened(project) as dvc,
        dvc.switch(commit) if commit else nullcontext(),
        tempfile.TemporaryDirectory(prefix="bucket-lists-") as spool,
    ):
        place = Path(dvc.cache.legacy.path)
        lists = Lists(place, meant, Path(spool))
        for dataset, out in outputs(dvc):
            search.add(dataset, out, lists)
    if not search.files:
        raise NotTrackedError(search.reason())
    files = sorted(search.files, key=_path)
    return Tracked(asked, rev, files, meant, place, _reader(project))


def inside(project: Project, path: str | Path) -> str:
    """A path from the project's root, with slashes; empty for the root itself.

    Raises:
        NotTrackedError: it is outside.
    """
    whole = Path(os.path.normpath(project.root / path))
    if not whole.is_relative_to(project.root):
        raise NotTrackedError(f"{path} is outside of the project in {project.root}.")
    relative = whole.relative_to(project.root).as_posix()
    return "" if relative == "." else relative


def _reader(project: Project) -> Project:
    """The clone around the current folder; the project itself if there is none."""
    try:
        return Project.find()
    except ProjectError:
        return project


def _path(file: TrackedFile) -> str:
    return file.path


@dataclass
class _Search:
    """Goes through the outputs of a project for those at, around or below a path."""

    asked: str
    rev: str | None
    files: list[TrackedFile] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    refused: str = ""

    def add(self, dataset: str, out: "Output", lists: Lists) -> None:
        """Take from an output what was asked for."""
        self.datasets.append(dataset)
        is_inside = self.asked.startswith(f"{dataset}/")
        if not (is_inside or dataset == self.asked or _below(dataset, self.asked)):
            return
        if why := absence(out):
            self.refused = f"{dataset} is {why}"
            return
        name = name_of(out)
        if not ids.is_list(name):
            if not is_inside:
                size = out.meta.size if out.meta else None
                self.files.append(TrackedFile(dataset, name, size))
            return
        found = lists.members(name)
        if found is None:
            raise NotPushedError(
                f"{dataset} is a directory whose list of files is neither in the cache nor on the "
                "remote: push it from a clone that has it, with `bucket push`."
            )
        mean = _mean_size(out)
        for path, member in found:
            whole = f"{dataset}/{path}"
            if not is_inside or whole == self.asked or _below(whole, self.asked):
                self.files.append(TrackedFile(whole, member, mean_size=mean))

    def reason(self) -> str:
        """Why nothing was found."""
        when = f" at {self.rev}" if self.rev else ""
        if self.refused:
            return f"No data of {self.asked}{when} to read: {self.refused}."
        named = ", ".join(sorted(self.datasets)[:NAMED_PATHS]) or "nothing"
        more = ", ..." if len(self.datasets) > NAMED_PATHS else ""
        return (
            f"DVC does not track {self.asked or 'anything'}{when}. It tracks {named}{more}; "
            "`bucket ls` lists the files. Paths are from the project's root."
        )


def _below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _mean_size(out: "Output") -> int | None:
    """Of the files of a directory, in bytes."""
    meta = out.meta
    return meta.size // meta.nfiles if meta and meta.size is not None and meta.nfiles else None
