"""Keeps `dvc gc` from deleting what git needs. It deletes all that its options do not name.

An object that goes from the cache alone, and is on the remote, is no loss.
An object that branches, tags, commits or experiments need is a reason to refuse: DVC has options to
keep it. Objects of stashes, indexes, other work trees and other projects of the repository are kept
without a question.
"""

import argparse
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.errors import BucketError, ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.audit import Selection, revisions
from dvc_bucket.dvc.gc.lost import OPTION, Lost, NeededError
from dvc_bucket.dvc.patched import command_line
from dvc_bucket.dvc.patched import gc as dvc_gc
from dvc_bucket.dvc.patched.repository import has_git
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.git import kept as kept_by_git
from dvc_bucket.git import partial
from dvc_bucket.git.contents import Repository

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

#: DVC's name of the hash of today's layout.
HASH = "md5"

#: Our own option: keep what only a reflog leads to.
REFLOG = "--reflog"


@contextmanager
def guarded(arguments: Sequence[str]) -> Iterator[list[str]]:
    """The arguments for DVC, which in this block deletes nothing that is needed.

    Args:
        arguments: with the word `gc` among them.

    Raises:
        NeededError: they would delete objects that branches, tags or commits of this clone need,
            and do not name the right number; or the need cannot be determined.
        ProjectError: this DVC differs from the tested one where the guard uses it.
    """
    words = [word for word in arguments if not word.startswith(OPTION) and word != REFLOG]
    dvc_gc.require(guard=False)
    asked = command_line.parsed(words)
    if asked is None or asked.cmd != "gc":
        yield list(arguments)
        return
    try:
        dvc_gc.require(guard=True)
        lost = _lost(asked, reflog=REFLOG in arguments)
    except ProjectError:
        if not asked.dry:
            raise
        yield words  # it deletes nothing, whatever is needed
        return
    if not asked.dry:
        numbers = [word.removeprefix(OPTION) for word in arguments if word.startswith(OPTION)]
        lost.refuse_unless(numbers)
    with dvc_gc.remote_first(lost.remotes, lost.kept):
        yield words


def _lost(asked: argparse.Namespace, *, reflog: bool) -> Lost:
    """The objects that would be deleted although a commit needs them."""
    from dvc_bucket.dvc.patched.errors import DvcException

    lost = Lost("gc --cloud" if asked.cloud else "gc")
    with ExitStack() as stack:
        try:
            repo = dvc_gc.repo_of(asked)
            stack.callback(repo.close)
            kept = dvc_gc.kept(repo, asked)
        except DvcException:  # DVC itself fails in this way, before it deletes
            return lost
        caches = {odb for _, odb in repo.cache.by_scheme() if odb}
        lost.remotes = [odb for odb in kept if odb not in caches]
        if has_git(repo):  # else no commit needs anything
            going = {odb: _objects(odb) - kept[odb] for odb in caches}
            _NeedSearch(repo, asked, lost).run(kept, going, reflog=reflog)
    return lost


@dataclass
class _NeedSearch:
    """Looks in one project for what needs the objects that would go.

    Attributes:
        repo: the project.
        asked: DVC's arguments.
        lost: gets the results. Where a remote could not be listed, nothing counts as pushed.
    """

    repo: "Repo"
    asked: argparse.Namespace
    lost: Lost

    def run(
        self, kept: Mapping[Any, set[str]], going: Mapping[Any, set[str]], *, reflog: bool
    ) -> None:
        """Note in `lost` which of the objects that would go are needed.

        Args:
            kept: hashes that DVC would keep, by cache and by remote that it would delete from.
            going: hashes that would go, by cache. Without `--cloud` the pushed ones are taken out.
            reflog: count the commits that only a reflog leads to.
        """
        lost, is_cloud = self.lost, self.asked.cloud
        if not is_cloud:
            for cache, oids in going.items():
                oids -= self._pushed(self._database(cache.hash_name), cache, oids)
            if not any(going.values()):
                return
        repository = Repository.of(Project(Path(self.repo.root_dir)))
        if repository.is_shallow:
            raise NeededError(
                f"this clone is shallow. `{lost.command}` would delete data that the missing "
                "commits need. Fetch them first: `git fetch --unshallow --tags`. "
                f"{lost.failure}".rstrip()
            )
        partial.complete(repository.root, ["--all", "--reflog"], ancestors=True)
        for database, objects in self._needed().items():
            is_today = database.hash_name == HASH
            cache = self.repo.cache.local if is_today else self.repo.cache.legacy
            here, there = objects.keys() & going[cache], set[str]()
            if database in kept:
                there = set(database.oids_exist(list(objects.keys() - kept[database])))
            elif is_cloud or database != self._database(cache.hash_name):
                here -= self._pushed(database, cache, here)
            lost.objects |= {(database, oid): objects[oid] for oid in there | here}
            lost.only_here += len(here - there)
        self._keep(repository, reflog=reflog)
        if not is_cloud:
            caught = set[str]().union(*going.values())
            lost.kept = {info for info in lost.kept if info.value in caught}

    def _keep(self, repository: Repository, *, reflog: bool) -> None:
        """Note what stashes, indexes, other work trees and other projects need: it is kept."""
        repo, asked = self.repo, self.asked
        names = kept_by_git.roots(repository, reflog=reflog)
        # DVC has an option to keep these.
        experiments = {*repo.brancher(all_experiments=True, workspace=False, sha_only=True)}
        if revs := [commit for commit in names if commit not in experiments]:
            # Of no revisions the brancher makes the workspace.
            for sha in repo.brancher(revs=revs, workspace=False, sha_only=True):
                self._keep_used(repo, asked, names[sha])
        for folder, is_there in kept_by_git.other_work_trees(repository):
            name, project = f"the work tree {folder}", Project(folder)
            if not is_there:
                self.lost.unknown[name] = (
                    "its folder is missing. If you removed it: `git worktree prune`"
                )
            elif project.dvc_config.is_file():
                with opened(project) as other:
                    self._keep_used(other, asked, name)
        # They name remotes of their own.
        everywhere = argparse.Namespace(remote=None, jobs=asked.jobs)
        for folder in kept_by_git.other_projects(repository):
            with opened(Project(folder)) as other:
                commits = {"all_commits": True, "all_experiments": True, "sha_only": True}
                for sha in other.brancher([*names], **commits):
                    name = f"{names.get(sha, sha[:7])} of the project {folder}"
                    self._keep_used(other, everywhere, name)

    def _needed(self) -> dict[Any, dict[str, tuple[str, list[str]]]]:
        """For every remote: objects, the path of each and the commits that need it.

        Commits whose needs cannot be determined go to `lost.unknown`.
        """
        needed: dict[Any, dict[str, tuple[str, list[str]]]] = {}
        project = Project(Path(self.repo.root_dir))
        named = revisions.select(project, Selection(all_branches=True, all_tags=True))
        names = {commit.commit: str(commit) for commit in named} | {"workspace": "the workspace"}
        # A branch or tag leads to one of these.
        for sha in self.repo.brancher(all_commits=True, all_experiments=True, sha_only=True):
            commit = names.get(sha, sha[:7])
            for odb, hashes in self._used(self.repo, self.asked, commit).items():
                for info in hashes:
                    objects = needed.setdefault(odb or self._database(info.name), {})
                    path = info.obj_name or info.value
                    objects.setdefault(info.value, (path, []))[1].append(commit)
        return needed

    def _keep_used(self, repo: "Repo", asked: argparse.Namespace, name: str) -> None:
        self.lost.kept.update(*self._used(repo, asked, name).values())

    def _used(self, repo: "Repo", asked: argparse.Namespace, name: str) -> Mapping[Any, Set[Any]]:
        """By remote, the hashes of what `repo` is switched to; a failure goes to `lost.unknown`."""
        from dvc_bucket.dvc.patched.errors import DvcException

        try:
            used: Mapping[Any, Set[Any]] = repo.index.used_objs(
                remote=asked.remote, force=True, jobs=asked.jobs
            )
            hashes = {info.value for infos in used.values() for info in infos}
            for out in repo.index.outs:
                if out.use_cache and out.is_dir_checksum and out.hash_info.value not in hashes:
                    self.lost.unknown[f"{out} of {name}"] = (
                        "the list of its files does not exist anywhere"
                    )
        except DvcException as error:
            self.lost.unknown[name] = str(error)
            return {}
        return used

    def _database(self, hash_name: str, name: str | None = None) -> Any:
        """The object database of a remote, for the hashes of one kind."""
        remote = self.repo.cloud.get_remote(name or self.asked.remote, "gc")
        return remote.odb if hash_name == HASH else remote.legacy_odb

    def _pushed(self, database: Any, cache: Any, oids: Collection[str]) -> set[str]:
        """Those objects that a remote lists with the size that they have in the cache.

        An ETag that is another MD5 is no proof of damage: the store may encrypt. Such an object is
        read and hashed.

        Args:
            database: of the remote.
            cache: object database of the cache.
            oids: DVC's names of objects in the cache, as `_objects` gives them.
        """
        if not oids or self.lost.failure:
            return set()
        from dvc_bucket.dvc.audit.listing import faults

        names = {ids.encode(oid, legacy=database.hash_name != HASH): oid for oid in oids}
        paths = {name: Path(cache.oid_to_path(oid)) for name, oid in names.items()}
        sizes = {name: path.lstat().st_size for name, path in paths.items()}
        project = Project(Path(self.repo.root_dir))
        try:
            remote = self._remote(project, database)
            lacking = faults(project, remote, sizes, only_doubtful=True)
        except BucketError as error:
            self.lost.failure = str(error)
            return set()
        return {names[name] for name in names.keys() - lacking.keys()}

    def _remote(self, project: Project, database: Any) -> Remote:
        """The remote of an object database.

        Raises:
            ProjectError: the remote is not one in S3 by hash.
        """
        names = (self.asked.remote, *self.repo.config["remote"])
        kind = database.hash_name
        name = next(name for name in names if self._database(kind, name) == database)
        return Remote.of(project, Settings.load(project), name)


def _objects(cache: Any) -> set[str]:
    """DVC's names of the objects in a cache, without files that have other names."""
    folder = ids.FOLDER if cache.hash_name == HASH else ""
    return {oid for oid in cache.all() if ids.from_path(f"{folder}{oid[:2]}/{oid[2:]}")}
