"""What the data of commits takes on a remote: by dataset, by revision, and what `gc` could free.

The needs of commits come from `needed`, the remote's listing from `Listing`, as for `verify`. Each
object has one number for the dataset, and one for the group of commits, that alone needs it.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit import needed, revisions
from dvc_bucket.dvc.audit.findings import NamedCommit, Need, Needs
from dvc_bucket.dvc.audit.listing import Listing, Positions
from dvc_bucket.dvc.audit.revisions import EVERYTHING, Selection
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.dvc.remote.arrays import array_of
from dvc_bucket.dvc.remote.lists import Lists
from dvc_bucket.git import kept as kept_by_git
from dvc_bucket.git.contents import Repository

#: In the place of a number: nobody needs the object, or several do.
NOBODY, SEVERAL = -1, -2


@dataclass
class UsageRow:
    """What a dataset, or commits of the same data, takes; objects that it needs twice count once.

    Attributes:
        name: of the dataset, or of the commits.
        objects: how many are on the remote.
        size: bytes of those.
        own_objects: how many of them no other row needs.
        own_size: bytes of those.
    """

    name: str
    objects: int = 0
    size: int = 0
    own_objects: int = 0
    own_size: int = 0


@dataclass
class Freeable:
    """What `gc` could free: objects that no work tree, branch, tag, stash or index needs.

    Attributes:
        old_objects: how many only old commits need.
        old_size: bytes of those.
        unneeded_objects: how many no commit of this clone needs: left over, or another project's.
        unneeded_size: bytes of those.
    """

    old_objects: int
    old_size: int
    unneeded_objects: int
    unneeded_size: int


@dataclass
class Usage:
    """What is on a remote of the data of commits.

    Attributes:
        address: of the remote, `s3://bucket/prefix`.
        objects: how many of the objects that are needed are there.
        size: bytes of those.
        missing: how many are not.
        datasets: a row a dataset, of all its versions together.
        revisions: a row a group of commits that need the same.
        freeable: where all commits were looked at.
        notes: sentences for the person.
    """

    address: str
    objects: int
    size: int
    missing: int
    datasets: Sequence[UsageRow]
    revisions: Sequence[UsageRow]
    freeable: Freeable | None = None
    notes: list[str] = field(default_factory=list)


def usage(project: Project, remote: Remote, revs: Sequence[str], *, everything: bool) -> Usage:
    """What the data of the work tree, of revisions, or of all commits takes.

    Args:
        project: the clone.
        remote: which one.
        revs: branches, tags or commits; none for the work tree.
        everything: of all commits and the work tree.

    Raises:
        RevisionError: a revision is none of this clone.
        ProjectError: git or DVC cannot read the project, or the clone is shallow and all commits
            are asked for.
        TransferError: the store refused or could not be reached.
    """
    commits = revisions.select(project, EVERYTHING if everything else Selection(revs))
    if everything:
        commits = [NamedCommit(), *commits]
    needs = needed.collect(project, revisions.distinct(project, commits), remote.name)
    keepers = list(_keepers(project, remote)) if everything else []
    with tempfile.TemporaryDirectory(prefix="bucket-du-") as spool:
        lists = Lists(needs.cache, remote, Path(spool))
        count = _Count(remote, lists, [needs, *keepers])
        rows = count.rows(needs)
        freeable = count.freeable(needs, keepers, project) if everything else None
    there, listing = count.is_needed(needs), count.listing
    return Usage(
        remote.address,
        int(there.sum()),
        int(listing.sizes[there].sum()),
        len(count.missing),
        *rows,
        freeable,
        [f"{item.dataset or 'A commit'}: {item.why}" for item in needs.unreadable],
    )


def _keepers(project: Project, remote: Remote) -> Iterator[Needs]:
    """What `gc` keeps beside branches, tags and the work tree: see `dvc.gc.guard`.

    Raises:
        ProjectError: the clone is shallow.
    """
    repository = Repository.of(project)
    if repository.is_shallow:
        raise ProjectError(
            "This clone is shallow, so the data of its missing commits is unknown. Fetch them: "
            "`git fetch --unshallow --tags`."
        )
    roots = kept_by_git.roots(repository, reflog=False)
    kept = [NamedCommit(commit, (name,)) for commit, name in roots.items()]
    yield needed.collect(project, revisions.distinct(project, kept), remote.name)
    for folder, is_there in kept_by_git.other_work_trees(repository):
        if is_there and Project(folder).dvc_config.is_file():
            yield needed.collect(Project(folder), [[NamedCommit()]], remote.name)
    for folder in kept_by_git.other_projects(repository):
        other = Project(folder)
        groups = revisions.distinct(other, revisions.select(other, EVERYTHING))
        yield needed.collect(other, [[NamedCommit()], *groups], remote.name)


class _Count:
    """Joins needs with what the remote lists.

    Attributes:
        listing: what the remote lists.
        missing: objects that are needed and not there.
    """

    def __init__(self, remote: Remote, lists: Lists, needs: Sequence[Needs]) -> None:
        self._lists = lists
        self._positions: dict[bytes, Positions] = {}
        folders = {ids.folder(need.name) for one in needs for need in one.needed}
        self.listing = Listing(remote, {ids.FOLDER, *folders})
        self.missing = set[bytes]()

    def rows(self, needs: Needs) -> tuple[list[UsageRow], list[UsageRow]]:
        """The rows of the datasets, and those of the revisions."""
        by_dataset: dict[str, list[Need]] = {}
        by_commits: dict[NamedCommit, list[Need]] = {}
        for need, commits in needs.needed.items():
            by_dataset.setdefault(need.dataset, []).append(need)
            for commit in commits:
                by_commits.setdefault(commit, []).append(need)
        alike: dict[tuple[Need, ...], list[NamedCommit]] = {}
        for commit, wanted in by_commits.items():
            alike.setdefault(tuple(wanted), []).append(commit)
        commits_of = {_title(commits): wanted for wanted, commits in alike.items()}
        return self._table(dict(sorted(by_dataset.items()))), self._table(commits_of)

    def is_needed(self, needs: Needs) -> NDArray[np.bool_]:
        """Which of the objects are needed."""
        return self._mask(needs.needed)

    def freeable(self, needs: Needs, keepers: Iterable[Needs], project: Project) -> Freeable:
        """What `gc` could free of the objects of DVC."""
        tips = revisions.select(project, Selection(all_branches=True, all_tags=True))
        tip_commits = {None, *(tip.commit for tip in tips)}
        kept = self._mask(
            need
            for need, commits in needs.needed.items()
            if any(commit.commit in tip_commits for commit in commits)
        )
        for other in keepers:
            kept |= self._mask(other.needed)
        listing = self.listing
        goes = listing.is_of_dvc() & ~kept
        old, none = goes & self.is_needed(needs), goes & ~self.is_needed(needs)
        sizes = listing.sizes
        return Freeable(
            int(old.sum()), int(sizes[old].sum()), int(none.sum()), int(sizes[none].sum())
        )

    def _table(self, groups: dict[str, list[Need]] | dict[str, tuple[Need, ...]]) -> list[UsageRow]:
        """A row a group of needs."""
        owner = np.full(len(self.listing), NOBODY, np.int32)
        rows = []
        for number, (name, wanted) in enumerate(groups.items()):
            mask = self._mask(wanted)
            rows.append(UsageRow(name, int(mask.sum()), int(self.listing.sizes[mask].sum())))
            owner[mask] = np.where(owner[mask] == NOBODY, number, SEVERAL)
        is_own = owner >= 0
        objects = np.bincount(owner[is_own], minlength=len(rows))
        for number, row in enumerate(rows):
            row.own_objects = int(objects[number])
            row.own_size = int(self.listing.sizes[owner == number].sum())
        return rows

    def _mask(self, wanted: Iterable[Need]) -> NDArray[np.bool_]:
        mask = np.zeros(len(self.listing), np.bool_)
        for need in wanted:
            mask[self._found(need)] = True
        return mask

    def _found(self, need: Need) -> Positions:
        """Positions of the objects of a need that are there; the others are noted as missing."""
        if need.name not in self._positions:
            members = self._lists.objects(need.name)
            names = array_of([need.name]) if members is None else members
            positions = self.listing.find(names)
            self.missing.update(map(bytes, names[positions < 0]))
            self._positions[need.name] = positions[positions >= 0].astype(np.int32)
        return self._positions[need.name]


def _title(commits: Sequence[NamedCommit]) -> str:
    """The name of commits that need the same: the first, and how many more."""
    named = sorted(commits, key=lambda commit: (commit.commit is not None, not commit.names))
    more = f" and {len(named) - 1:,} more" if named[1:] else ""
    return f"{named[0]}{more}"
