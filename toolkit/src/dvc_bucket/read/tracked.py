"""From a path and a revision to the objects that hold its bytes, and their state on the remote."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import (
    ChecksumError,
    MissingObjectError,
    NotPushedError,
    NotTrackedError,
)
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.retries import interruptible
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.remote import Lists, Remote, ids
from dvc_bucket.dvc.remote.outputs import absence, name_of, opened, outputs
from dvc_bucket.git.contents import Repository, commit_of
from dvc_bucket.read import foreign
from dvc_bucket.transfer.errors import naming_failures

if TYPE_CHECKING:
    from obstore import ObjectMeta

    from dvc_bucket.dvc.patched.types import Output

#: Paths that are listed where DVC does not track the path that was asked for.
MAX_LISTED_PATHS = 8

#: Objects that are looked up at once.
LOOKUPS = 32


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """A file that DVC tracks, alone or in a directory.

    Attributes:
        path: from the project's root.
        name: of its object.
        size: in bytes as DVC recorded it; None for a file in a directory.
        mean_size: of all files of the directory, in bytes; None if DVC did not record it.
    """

    path: str
    name: bytes
    size: int | None = None
    mean_size: int | None = None

    @property
    def expected_size(self) -> int | None:
        """The size, or the mean in the directory; None if DVC recorded neither."""
        return self.mean_size if self.size is None else self.size


@dataclass(frozen=True)
class TrackedData:
    """The files that DVC tracks at a path of a revision.

    Attributes:
        path: as it was asked for, from the project's root.
        rev: the revision as it was asked for; None for the workspace.
        files: in order of their paths; the path itself if that is a file.
        remote: that has the objects.
        cache: DVC's cache on this machine, which may have them.
        project: the reader's clone, which keeps the notes of proofs.
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

    @property
    def is_file(self) -> bool:
        """Whether the path is a single file."""
        return [file.path for file in self.files] == [self.path]

    def cached(self, file: TrackedFile) -> Path:
        """Path of the file's copy in the cache, present or not."""
        return self.cache / ids.path(file.name)

    def key(self, file: TrackedFile) -> str:
        """Key of the file's object in the bucket."""
        return self.remote.key(file.name)

    def versions(self) -> "dict[str, ObjectMeta]":
        """Size, ETag and time, by path, of the objects on the remote.

        Raises:
            NotPushedError: one is not there.
            ChecksumError: one has another size than DVC recorded.
            TransferError: the store refused or could not be reached.
        """

        def look_up(file: TrackedFile) -> "ObjectMeta | None":
            try:
                with naming_failures(f"look up {file.path}", self.remote.settings):
                    version = self.remote.store.head(self.key(file))
            except MissingObjectError:
                return None
            if file.size not in {None, version["size"]}:
                what = f"it has {version['size']:,} bytes, and DVC recorded {file.size:,}"
                raise self.damaged(file, what)
            return version

        with ThreadPoolExecutor(LOOKUPS) as pool, interruptible():
            answers = list(zip(self.files, pool.map(look_up, self.files), strict=True))
        if missing := [file for file, version in answers if version is None]:
            more = f" (and {len(missing) - 1:,} more of {len(answers):,})" if missing[1:] else ""
            raise self.not_pushed(missing[0], more)
        return {file.path: version for file, version in answers if version is not None}

    def sizes(self) -> dict[str, int]:
        """Size in bytes, by path, of the objects on the remote; errors as of `versions`."""
        return {path: version["size"] for path, version in self.versions().items()}

    def not_pushed(self, file: TrackedFile, more: str = "") -> NotPushedError:
        """The error for a file that is not on the remote."""
        return NotPushedError(
            f"{file.path} of {self.rev or 'the workspace'}{more} is not on the remote "
            f"{self.remote.address}. In a clone that has it: `bucket push`, or "
            f"`bucket verify{self._rev_option} --repair`."
        )

    def damaged(self, file: TrackedFile, what: str, *, is_cached: bool = False) -> ChecksumError:
        """The error for a file that has other content on the remote, or in the cache."""
        if is_cached:
            where = f"in the cache ({self.cached(file)})"
            fix = "`bucket verify --cache --repair` moves it aside; then run `bucket pull`."
        else:
            where = f"on the remote {self.remote.address}"
            fix = (
                "Repair it from a clone that has the data: "
                f"`bucket verify{self._rev_option} --deep --repair`."
            )
        return ChecksumError(
            f"{file.path} of {self.rev or 'the workspace'} is damaged {where}: {what}. {fix}"
        )

    def compare(self, file: TrackedFile, digest: str, *, is_cached: bool = False) -> None:
        """Compare the MD5 of a file's content with the recorded one.

        Raises:
            ChecksumError: they differ.
        """
        if digest != ids.md5(file.name):
            what = f"its content has the MD5 {digest}, and DVC recorded {ids.md5(file.name)}"
            raise self.damaged(file, what, is_cached=is_cached)

    @property
    def _rev_option(self) -> str:
        return f" --rev {self.rev}" if self.rev else ""


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
    project = foreign.clone(repo) if repo else Project.find()
    asked = inside(project, path)
    commit = commit_of(Repository.of(project), rev) if rev else None
    if repo:
        source = foreign.remote_of(project, remote, settings)
    else:
        source = Remote.of(project, settings or Settings.load(project), remote)
    with (
        opened(project) as dvc,
        dvc.switch(commit) if commit else nullcontext(),
        tempfile.TemporaryDirectory(prefix="bucket-lists-") as spool,
    ):
        cache = Path(dvc.cache.legacy.path)
        lists = Lists(cache, source, Path(spool))
        every_output = outputs(dvc)
        related = [
            (dataset, out)
            for dataset, out in every_output
            if is_within(asked, dataset) or is_within(dataset, asked)
        ]
        absent = {dataset: why for dataset, out in related if (why := absence(out))}
        files = [
            file
            for dataset, out in related
            if dataset not in absent
            for file in _files(dataset, out, lists)
            if is_within(file.path, asked)
        ]
    if not files:
        datasets = sorted(dataset for dataset, _ in every_output)
        raise NotTrackedError(_reason(asked, f" at {rev}" if rev else "", absent, datasets))
    files.sort(key=lambda file: file.path)
    return TrackedData(asked, rev, files, source, cache, Project.around() or project)


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


def from_here(path: str) -> str:
    """A path from the current folder as one from the project's root; errors as of `inside`."""
    return inside(Project.find(), Path.cwd() / path)


def is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder, which may be empty for the root, or lies in it."""
    return not folder or path == folder or path.startswith(f"{folder}/")


def _files(dataset: str, out: "Output", lists: Lists) -> Iterator[TrackedFile]:
    """The files of an output.

    Raises:
        NotPushedError: it is a directory, and its list of files is nowhere.
    """
    name, meta = name_of(out), out.meta
    if not ids.is_list(name):
        yield TrackedFile(dataset, name, meta.size if meta else None)
        return
    members = lists.members(name)
    if members is None:
        raise NotPushedError(
            f"{dataset} is a directory whose list of files is missing or damaged in the cache and "
            "on the remote: push it from a clone that has it, with `bucket push`."
        )
    is_noted = meta and meta.size is not None and meta.nfiles
    mean = meta.size // meta.nfiles if is_noted else None
    for path, member in members:
        yield TrackedFile(f"{dataset}/{path}", member, mean_size=mean)


def _reason(asked: str, when: str, absent: dict[str, str], datasets: Sequence[str]) -> str:
    """Why nothing was found."""
    if absent:
        dataset, why = list(absent.items())[-1]
        return f"No data of {asked}{when} to read: {dataset} is {why}."
    listed = ", ".join(datasets[:MAX_LISTED_PATHS]) or "nothing"
    more = ", ..." if len(datasets) > MAX_LISTED_PATHS else ""
    return (
        f"DVC does not track {asked or 'anything'}{when}. It tracks {listed}{more}; "
        "`bucket ls` lists the files. Paths are from the project's root."
    )
