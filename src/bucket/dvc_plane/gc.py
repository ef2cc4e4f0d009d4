"""`dvc gc --cloud` deletes what it was not told to keep. This finds out first who needs that.

What branches, tags, commits and experiments need is a reason to refuse: DVC has options to keep it.
What git keeps besides (stashes, indexes, other work trees) is kept without a question.

What this touches inside DVC: `Repo` and its `gc`, `brancher`, `index.used_objs` and
`cloud.get_remote_odb`; the function `gc` of `dvc_data.hashfile.gc`, through which it deletes.
"""

import argparse
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bucket.dvc_plane import gc_order, gc_roots
from bucket.errors import ProjectError
from bucket.git_contents import Repository
from bucket.paths import Project
from bucket.remote.outputs import opened
from bucket.verify import Selection, revisions

if TYPE_CHECKING:
    from dvc.repo import Repo

#: Our own option, with the number that the refusal names: who gives it has read that.
OPTION = "--delete-needed="

#: Another one: keep what only a reflog leads to.
REFLOG = "--reflog"

#: What is shown of a long list.
SHOWN = 10

#: The options of DVC's `gc` that select commits, and how it deletes.
SELECTING = (
    "all_branches",
    "all_tags",
    "all_commits",
    "all_experiments",
    "commit_date",
    "workspace",
    "rev",
    "num",
    "repos",
    "remote",
    "jobs",
    "force",
    "skip_failed",
)


class NeededError(ProjectError):
    """What would be deleted is needed."""


@dataclass
class Lost:
    """What other commits need of that which would be deleted.

    Attributes:
        objects: of each, the path of the file, and the commits that need it.
        only_here: how many of them are in this clone's cache and not on the remote.
        unknown: commits of which DVC cannot tell what they need, and why.
        remotes: object databases that DVC would delete from.
        kept: hashes that no option of DVC's names, and that are kept all the same.
    """

    objects: dict[tuple[Any, str], tuple[str, list[str]]] = field(default_factory=dict)
    only_here: int = 0
    unknown: dict[str, str] = field(default_factory=dict)
    remotes: list[Any] = field(default_factory=list)
    kept: set[Any] = field(default_factory=set)

    @property
    def number(self) -> int:
        """How many to name to have them deleted all the same."""
        return len(self.objects) + len(self.unknown)


@contextmanager
def guarded(arguments: Sequence[str]) -> Iterator[list[str]]:
    """The arguments for DVC, which in this block deletes nothing that is needed.

    Args:
        arguments: with the word `gc` among them.

    Raises:
        NeededError: they would delete what branches, tags or commits of this clone need, and do not
            say so with the right number; or nobody can tell.
    """
    words = [word for word in arguments if not word.startswith(OPTION) and word != REFLOG]
    asked = _parsed(words)
    if asked is None or asked.cmd != "gc" or not asked.cloud or asked.dry:
        yield list(arguments)
        return
    lost = _lost(asked, reflog=REFLOG in arguments)
    told = [word.removeprefix(OPTION) for word in arguments if word.startswith(OPTION)]
    if lost.number and told != [str(lost.number)]:
        raise NeededError(_refusal(lost, told))
    with gc_order.remote_first(lost.remotes, lost.kept):
        yield words


def _parsed(words: Sequence[str]) -> argparse.Namespace | None:
    """The arguments as DVC understands them; None where it does not, and will say so itself."""
    from dvc.cli import DvcParserError, parse_args

    try:
        parsed: argparse.Namespace = parse_args(list(words))
    except (DvcParserError, SystemExit):
        return None
    return parsed


def _lost(asked: argparse.Namespace, *, reflog: bool) -> Lost:
    """What would be deleted, and is needed by a commit."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo
    from dvc.scm import NoSCM

    lost = Lost()
    try:
        repo = Repo(asked.cd, _wait_for_lock=True)
    except DvcException:  # DVC will say it, and delete nothing
        return lost
    try:
        try:
            kept = _kept(repo, asked)
        except DvcException:  # so will it come to in DVC, before it deletes
            return lost
        lost.remotes = list(kept)
        if isinstance(repo.scm, NoSCM):  # no commit needs anything
            return lost
        repository = Repository.of(Project(Path(repo.root_dir)))
        if repository.is_shallow:
            raise NeededError(
                "this clone is shallow. `gc --cloud` cannot know what the missing commits need, "
                "and would delete it. Get them first: `git fetch --unshallow --tags`."
            )
        for odb, names in _needed(repo, asked, lost).items():
            if odb in kept:  # else nothing is deleted there
                _note(repo, odb, {oid: names[oid] for oid in names.keys() - kept[odb]}, lost)
        _keep(repo, repository, asked, lost, reflog=reflog)
    finally:
        repo.close()
    return lost


def _keep(
    repo: "Repo", repository: Repository, asked: argparse.Namespace, lost: Lost, *, reflog: bool
) -> None:
    """Note what stashes, indexes and other work trees need: it is kept."""
    roots = {root.commit: root.name for root in gc_roots.roots(repository, reflog=reflog)}
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


def _note(repo: "Repo", odb: Any, names: dict[str, tuple[str, list[str]]], lost: Lost) -> None:
    """Note which of these are on a remote, or else in this clone's cache, where they go, too."""
    there = set(odb.oids_exist(list(names)))
    cache = repo.cache.local if odb.hash_name == "md5" else repo.cache.legacy
    here = set(cache.oids_exist(list(names.keys() - there)))
    lost.objects |= {(odb, oid): names[oid] for oid in there | here}
    lost.only_here += len(here)


def _kept(repo: "Repo", asked: argparse.Namespace) -> dict[Any, set[str]]:
    """For every remote that DVC's `gc` would delete from: what it would keep there."""
    kept: dict[Any, set[str]] = {}

    def record(odb: Any, used: Any, **_: Any) -> int:
        kept[odb] = {one.value for one in used if one.name == odb.hash_name}
        return 0

    told = logging.getLogger("dvc.repo.gc")
    told.disabled = True
    try:
        with gc_order.replaced(record):
            repo.gc(cloud=True, dry=True, **{name: getattr(asked, name) for name in SELECTING})
    finally:
        told.disabled = False
    for _, odb in repo.cache.by_scheme():
        kept.pop(odb, None)
    return kept


def _needed(
    repo: "Repo", asked: argparse.Namespace, lost: Lost
) -> dict[Any, dict[str, tuple[str, list[str]]]]:
    """For every remote: objects, the path of each and the commits that need it.

    Commits of which that cannot be told go to `lost.unknown`.
    """
    remotes: dict[Any, dict[str, tuple[str, list[str]]]] = {}
    project = Project(Path(repo.root_dir))
    named = revisions.select(project, Selection(all_branches=True, all_tags=True))
    names = {one.commit: str(one) for one in named}
    # A branch or tag leads to one of these. The workspace, which comes first, is always kept.
    for sha in repo.brancher(all_commits=True, all_experiments=True, sha_only=True):
        commit = names.get(sha, sha[:7])
        for odb, ones in _used(repo, asked, lost, commit).items():
            for one in ones:
                place = odb or repo.cloud.get_remote_odb(asked.remote, "gc -c", one.name)
                found = remotes.setdefault(place, {})
                found.setdefault(one.value, (one.obj_name or one.value, []))[1].append(commit)
    return remotes


def _used(repo: "Repo", asked: argparse.Namespace, lost: Lost, name: str) -> Mapping[Any, Set[Any]]:
    """By remote, the hashes of what DVC is switched to; if that cannot be told, `lost` is."""
    from dvc.exceptions import DvcException

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


def _refusal(lost: Lost, told: Sequence[str]) -> str:
    """What would be lost, how to keep it, and how to delete it all the same."""
    objects = f"{len(lost.objects):,} object{'' if len(lost.objects) == 1 else 's'}"
    only_here = f", {lost.only_here:,} of which nobody pushed" if lost.only_here else ""
    lines = [
        f"`gc --cloud` would delete {objects} that other commits of this clone need{only_here}:"
        if lost.objects
        else "cannot determine which of the objects that `gc --cloud` would delete these need:"
    ]
    groups = Counter(
        (path.rpartition("/")[0] or path, ", ".join(commits[:SHOWN]))
        for path, commits in lost.objects.values()
    )
    for (path, commits), count in groups.most_common(SHOWN):
        lines.append(f"  {count:,} in {path}, needed by {commits}")
    if len(groups) > SHOWN:
        lines.append(f"  and more in {len(groups) - SHOWN:,} other places")
    lines += [f"  unknown: {what}: {why}" for what, why in list(lost.unknown.items())[:SHOWN]]
    lines.append(
        "Nothing was deleted. To keep them, add --all-branches --all-tags --all-commits (and "
        f"--all-experiments for those of `dvc exp`). To delete them, add {OPTION}{lost.number}."
    )
    if told:
        lines.append(f"{OPTION}{told[0]} is not their number.")
    return "\n".join(lines)
