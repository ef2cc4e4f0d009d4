"""`dvc gc` deletes all objects that its options do not name. This finds out first who needs them.

An object that goes from the cache alone, and is on the remote, is no loss.
An object that branches, tags, commits or experiments need is a reason to refuse: DVC has options to
keep it. Objects of stashes, indexes, other work trees and other projects of the repository are kept
without a question.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit import Selection, revisions
from dvc_bucket.dvc.gc import pushed as gc_pushed
from dvc_bucket.dvc.gc import roots as gc_roots
from dvc_bucket.dvc.gc.lost import OPTION, Lost, NeededError
from dvc_bucket.dvc.patched import command_line
from dvc_bucket.dvc.patched import gc as dvc_gc
from dvc_bucket.dvc.patched.repository import has_git
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.git.contents import Repository

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo

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
    dvc_gc.require_for_parsing()
    asked = command_line.parsed(words)
    if asked is None or asked.cmd != "gc" or asked.dry:
        yield list(arguments)
        return
    dvc_gc.require_for_guard()
    lost = _lost(asked, reflog=REFLOG in arguments)
    lost.refuse_unless([word.removeprefix(OPTION) for word in arguments if word.startswith(OPTION)])
    with dvc_gc.remote_first(lost.remotes, lost.kept):
        yield words


def _lost(asked: argparse.Namespace, *, reflog: bool) -> Lost:
    """The objects that would be deleted although a commit needs them."""
    from dvc_bucket.dvc.patched.errors import DvcException

    lost = Lost("gc --cloud" if asked.cloud else "gc")
    try:
        repo = dvc_gc.repo_of(asked)
    except DvcException:  # DVC will say it, and delete nothing
        return lost
    try:
        try:
            kept = dvc_gc.kept(repo, asked)
        except DvcException:  # so will it come to in DVC, before it deletes
            return lost
        caches = {odb for _, odb in repo.cache.by_scheme() if odb}
        lost.remotes = [odb for odb in kept if odb not in caches]
        if has_git(repo):  # else no commit needs anything
            going = {odb: gc_pushed.objects(odb) - kept[odb] for odb in caches}
            _look(repo, asked, kept, going, lost, reflog=reflog)
    finally:
        repo.close()
    return lost


def _look(
    repo: "Repo",
    asked: argparse.Namespace,
    kept: Mapping[Any, set[str]],
    going: Mapping[Any, set[str]],
    lost: Lost,
    *,
    reflog: bool,
) -> None:
    """Note in `lost` which of the objects that would go are needed.

    Args:
        repo: the project.
        asked: DVC's arguments.
        kept: hashes that DVC would keep, by cache and by remote that it would delete from.
        going: hashes that would go, by cache. Without `--cloud` the pushed ones are taken out.
        lost: gets the findings.
        reflog: count the commits that only a reflog leads to.
    """
    remotes = gc_pushed.Remotes(repo, asked.remote)
    if not asked.cloud:
        for cache, oids in going.items():
            oids -= remotes.pushed(remotes.place(cache.hash_name), cache, oids)
        if not any(going.values()):
            return
    repository = Repository.of(Project(Path(repo.root_dir)))
    if repository.is_shallow:
        raise NeededError(
            f"this clone is shallow. `{lost.command}` cannot know what the missing commits need, "
            "and would delete it. Get them first: `git fetch --unshallow --tags`. "
            f"{remotes.failure}".rstrip()
        )
    for place, names in _needed(repo, asked, remotes, lost).items():
        cache = repo.cache.local if place.hash_name == gc_pushed.HASH else repo.cache.legacy
        here, there = names.keys() & going[cache], set[str]()
        if place in kept:
            there = set(place.oids_exist(list(names.keys() - kept[place])))
        else:
            here -= remotes.pushed(place, cache, here)
        lost.objects |= {(place, oid): names[oid] for oid in there | here}
        lost.only_here += len(here - there)
    _keep(repo, repository, asked, lost, reflog=reflog)
    if not asked.cloud:
        lost.kept = {one for one in lost.kept if any(one.value in oids for oids in going.values())}
    lost.failure = remotes.failure


def _keep(
    repo: "Repo", repository: Repository, asked: argparse.Namespace, lost: Lost, *, reflog: bool
) -> None:
    """Note what stashes, indexes, other work trees and other projects need: it is kept."""
    names = {root.commit: root.name for root in gc_roots.roots(repository, reflog=reflog)}
    roots = dict(names)
    # DVC has an option to keep these.
    for sha in repo.brancher(all_experiments=True, workspace=False, sha_only=True):
        roots.pop(sha, None)
    if roots:  # of no revisions the brancher makes the workspace
        for sha in repo.brancher(revs=[*roots], workspace=False, sha_only=True):
            for ones in _used(repo, asked, lost, roots[sha]).values():
                lost.kept |= ones
    for folder, is_there in gc_roots.other_work_trees(repository):
        project = Project(folder)
        if not is_there:
            lost.unknown[f"the work tree {folder}"] = (
                "its folder is not there. If it was removed: `git worktree prune`"
            )
        elif project.dvc_config.is_file():
            with opened(project) as other:
                for ones in _used(other, asked, lost, f"the work tree {folder}").values():
                    lost.kept |= ones
    everywhere = argparse.Namespace(remote=None, jobs=asked.jobs)  # they name remotes of their own
    for folder in gc_roots.other_projects(repository):
        with opened(Project(folder)) as other:
            for sha in other.brancher(
                [*names], all_commits=True, all_experiments=True, sha_only=True
            ):
                name = f"{names.get(sha, sha[:7])} of the project {folder}"
                for ones in _used(other, everywhere, lost, name).values():
                    lost.kept |= ones


def _needed(
    repo: "Repo", asked: argparse.Namespace, remotes: gc_pushed.Remotes, lost: Lost
) -> dict[Any, dict[str, tuple[str, list[str]]]]:
    """For every remote: objects, the path of each and the commits that need it.

    Commits of which that cannot be told go to `lost.unknown`.
    """
    needed: dict[Any, dict[str, tuple[str, list[str]]]] = {}
    project = Project(Path(repo.root_dir))
    named = revisions.select(project, Selection(all_branches=True, all_tags=True))
    names = {one.commit: str(one) for one in named} | {"workspace": "the workspace"}
    # A branch or tag leads to one of these.
    for sha in repo.brancher(all_commits=True, all_experiments=True, sha_only=True):
        commit = names.get(sha, sha[:7])
        for odb, ones in _used(repo, asked, lost, commit).items():
            for one in ones:
                found = needed.setdefault(odb or remotes.place(one.name), {})
                found.setdefault(one.value, (one.obj_name or one.value, []))[1].append(commit)
    return needed


def _used(repo: "Repo", asked: argparse.Namespace, lost: Lost, name: str) -> Mapping[Any, Set[Any]]:
    """By remote, the hashes of what DVC is switched to; if that cannot be told, `lost` is."""
    from dvc_bucket.dvc.patched.errors import DvcException

    try:
        used = repo.index.used_objs(remote=asked.remote, force=True, jobs=asked.jobs)
        known = {one.value for ones in used.values() for one in ones}
        for out in repo.index.outs:
            if out.use_cache and out.is_dir_checksum and out.hash_info.value not in known:
                lost.unknown[f"{out} of {name}"] = "the list of its files is nowhere"
    except DvcException as error:
        lost.unknown[name] = str(error)
        return {}
    found: Mapping[Any, Set[Any]] = used
    return found
