"""Copies what commits need from one remote to another, as a project moves to another store."""

from collections import deque
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from dvc_bucket.base.errors import MissingObjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.progress import Progress
from dvc_bucket.connection.objects import ObjectRef
from dvc_bucket.dvc.audit import lfs, needed, revisions
from dvc_bucket.dvc.audit.findings import AuditReport, NamedCommit, Needs
from dvc_bucket.dvc.audit.listing import Listing
from dvc_bucket.dvc.audit.revisions import EVERYTHING
from dvc_bucket.dvc.audit.verification import VerifyOptions, verify_remote
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.dvc.remote.arrays import array_of
from dvc_bucket.dvc.remote.ids import is_right
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.git.contents import Repository
from dvc_bucket.transfer.download import Download
from dvc_bucket.transfer.errors import WrongContentError
from dvc_bucket.transfer.files import Unfinished
from dvc_bucket.transfer.pool import Pool
from dvc_bucket.transfer.upload import Upload


@dataclass
class RemoteCopy:
    """What was copied to another remote.

    Attributes:
        objects: how many were not there yet.
        size: bytes of those.
        lost: objects of which no good copy exists, neither on the first remote nor on this machine,
            and lists of directories that name one.
        paths: the files, or directories whose list is lost, and the commits that need them.
        report: what the other remote has of all commits, after the copy.
    """

    objects: int = 0
    size: int = 0
    lost: set[bytes] = field(default_factory=set)
    paths: dict[str, Sequence[NamedCommit]] = field(default_factory=dict)
    report: AuditReport | None = None


def copy_all(
    project: Project, source: Remote, target: Remote, spool: Path, progress: Progress
) -> RemoteCopy:
    """Copy the objects that any commit needs, unless they are there, and verify the result.

    Each object is proven before it is sent: by the MD5 or SHA-256 that is its name. Objects of the
    target are never replaced. The list of a directory goes after its files, and only if all of them
    are there. What was interrupted is finished by the next run.

    Args:
        project: the clone.
        source: where from.
        target: where to.
        spool: an empty folder for what is on its way.
        progress: hears of it.

    Raises:
        ProjectError: git or DVC cannot read the project.
        TransferError: one of the stores refused or could not be reached.
    """
    # With the workspace, which may hold the next commit.
    commits = [NamedCommit(), *revisions.select(project, EVERYTHING)]
    needs = needed.collect(project, revisions.distinct(project, commits), source.name)
    lfs.collect(project, needs, commits, EVERYTHING)
    copied = RemoteCopy()
    lists = Lists(needs.cache, source, spool)
    names = set[bytes]()
    for need in needs.needed:
        members = lists.objects(need.name)
        names |= {need.name} if members is None else set(map(bytes, members))
    copier = _Copier(project, needs, source, target, spool)
    missing = copier.missing(names)
    directories = {name for name in missing if ids.is_list(name)}
    copier.run(missing - directories, copied, progress)
    _note_losses(copied, needs, lists, directories)
    copier.run(directories - copied.lost, copied, progress)
    copied.report = verify_remote(project, target, VerifyOptions(selection=EVERYTHING, lfs=True))
    return copied


def _note_losses(
    copied: RemoteCopy, needs: Needs, lists: Lists, directories: Container[bytes]
) -> None:
    """Note the paths of lost objects; the list of a directory that lacks a file is lost, too."""
    for need, commits in needs.needed.items():
        files = lists.members(need.name, copied.lost) if ids.is_list(need.name) else []
        if files or (files is None and need.name in directories):
            copied.lost.add(need.name)
        if need.name in copied.lost:
            paths = [f"{need.path}/{path}" for path, _ in files or ()] or [need.path]
            for path in paths:
                copied.paths[path] = (*copied.paths.get(path, ()), *commits)


class _Copier:
    """Copies objects of a project, one after the other or many at a time.

    Args:
        project: the clone.
        needs: of it; its cache is a source, too.
        source: where from.
        target: where to.
        spool: an empty folder for what is on its way.
    """

    def __init__(
        self, project: Project, needs: Needs, source: Remote, target: Remote, spool: Path
    ) -> None:
        self._project, self._cache = project, needs.cache
        self._source, self._target, self._spool = source, target, spool
        self._upload, self._unfinished = Upload(), Unfinished()
        self._download = Download(self._unfinished)
        self._sizes: dict[bytes, int] = {}

    def missing(self, names: set[bytes]) -> set[bytes]:
        """Those of the objects that the target does not list; notes the sizes of the others."""
        wanted, folders = array_of(sorted(names)), {ids.folder(name) for name in names}
        if not names:
            return set()
        there = Listing(self._target, folders).find(wanted) >= 0
        listing = Listing(self._source, folders)
        for name, position in zip(wanted.tolist(), listing.find(wanted).tolist(), strict=True):
            self._sizes[name] = int(listing.sizes[position]) if position >= 0 else 0
        return set(wanted[~there].tolist())

    def run(self, names: set[bytes], copied: RemoteCopy, progress: Progress) -> None:
        """Copy objects; those without a good copy go to `copied.lost`."""
        total = copied.size + sum(self._sizes[name] for name in names)
        sent = deque[int]()

        def failed(name: bytes, error: BaseException) -> None:
            if not isinstance(error, MissingObjectError | WrongContentError):
                raise error
            copied.lost.add(name)

        def shown(_: int) -> None:
            while sent:
                copied.size += sent.popleft()
                copied.objects += 1
            progress(copied.size, total)

        pool = Pool[bytes](
            lambda name: sent.append(self._copy(name)), None, lambda: self._upload.answer_seconds
        )
        with self._unfinished:
            pool.run(sorted(names), shown, failed)

    def _copy(self, name: bytes) -> int:
        """Copy one object; return its size in bytes.

        Raises:
            MissingObjectError: there is no good copy of it.
            WrongContentError: its only copy is damaged.
            StoreError: a store does not serve us.
        """
        place = ObjectRef.of(self._target.settings, self._target.key(name), self._target.store)
        local = self._local(name)
        if local.is_file() and is_right(local, name):
            self._upload(place, str(local))
            return local.stat().st_size
        copy = self._spool / f"copy-{name.hex()}"
        source = ObjectRef.of(self._source.settings, self._source.key(name), self._source.store)
        self._download(source, str(copy))
        try:
            if not is_right(copy, name):
                raise MissingObjectError(f"{source.url} is damaged.")
            self._upload(place, str(copy))
            return copy.stat().st_size
        finally:
            copy.unlink()

    def _local(self, name: bytes) -> Path:
        """Where this machine may have a copy."""
        if ids.is_lfs(name):
            return lfs.local_copy(self._repository, name)
        return self._cache / ids.path(name)

    @cached_property
    def _repository(self) -> Repository:
        return Repository.of(self._project)
