"""The two commits that are compared: which, and how DVC and git read them.

DVC is kept away from caches and remotes. It reads from a cache that holds only the files of metrics
and plots, and its remotes are a folder that is not there: `Contents` decides what is fetched, and
DVC never connects to anything.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from dvc_bucket.base.errors import RevisionError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc import commit_view
from dvc_bucket.dvc.patched import plots as dvc_plots
from dvc_bucket.dvc.remote import Contents, Remote, ids
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.dvc.snapshot import overlap
from dvc_bucket.git import revision
from dvc_bucket.git.contents import Repository, commit_of, ended, git

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Repo


#: Names of default branches, if the clone has no origin/HEAD.
USUAL = ("origin/main", "origin/master", "main", "master")


@dataclass(frozen=True)
class Pair:
    """A change.

    Attributes:
        base: full id of the commit before it.
        head: full id of the commit after it.
        left: the branch whose common ancestor with the head is the base; empty if the base is the
            named commit itself.
        commits: number of commits from base to head.
        subject: first line of the head's message.
    """

    base: str
    head: str
    left: str
    commits: int
    subject: str


def choose(project: Project, base: str | None, head: str) -> Pair:
    """The two commits.

    As in a pull request, later commits on the base branch are no part of the change: the base is
    the last commit that both have in common.

    Args:
        project: in a git repository.
        base: branch, tag or commit; None for the default branch.
        head: branch, tag or commit.

    Raises:
        RevisionError: there is no such commit, or the base cannot be inferred.
        ProjectError: the project is in no git repository.
    """
    repository = Repository.of(project)
    after = commit_of(repository, head)
    named = base or _default_branch(repository)
    tip = commit_of(repository, named)
    before = _common(repository, tip, after)
    if base is None and before == after:
        raise RevisionError(
            f"{head} is already in {named}, the default branch: cannot infer a base. Name one: "
            "`--base HEAD~1`."
        )
    if before == after:  # asked for the other way round
        before = tip
    count = git(project.root, "rev-list", "--count", f"{before}..{after}")
    subject = git(project.root, "log", "--max-count=1", "--format=%s", after)
    return Pair(
        base=before,
        head=after,
        left="" if before == tip else named,
        commits=int(count),
        subject=subject.decode(errors="replace").strip(),
    )


def _default_branch(repository: Repository) -> str:
    """The name of the default branch in this clone.

    Raises:
        RevisionError: it has none.
    """
    for name in ("origin/HEAD", *USUAL):
        question = ("rev-parse", "--verify", "--quiet", "--abbrev-ref", name)
        done = ended(repository.project, *question)
        if done.returncode == 0:
            return done.stdout.decode().strip()
    raise RevisionError(
        "Cannot infer a base: this clone has no default branch "
        f"(no origin/HEAD, {', '.join(USUAL)}). Name one: `--base REV`."
    )


def _common(repository: Repository, base: str, head: str) -> str:
    """The last common commit of two; the base itself if they have none.

    Raises:
        RevisionError: the clone is shallow, and does not have that commit.
    """
    common = ended(repository.project, "merge-base", base, head).stdout.decode().split()
    if common:
        return common[0]
    if repository.is_shallow:
        raise RevisionError(
            f"This clone is shallow and does not have the commit that {base[:12]} and "
            f"{head[:12]} come from. `git fetch --unshallow` gets the rest of the history."
        )
    return base


@dataclass(frozen=True, kw_only=True)
class ReportedCommit(commit_view.CommitView):
    """A commit with what DVC reads of its metrics and plots.

    Attributes:
        side: whether it is the one before or after the change.
        metrics: what DVC reads of its metrics: `data` by file, or `error`.
        plots: what DVC reads of its plots.
    """

    side: Literal["before", "after"]
    metrics: Mapping[str, Any]
    plots: Mapping[str, Any]

    @property
    def title(self) -> str:
        """Its name in plots."""
        return f"{self.side} {self.commit[:7]}"


@contextmanager
def opened_views(
    project: Project, pair: Pair, remote: Remote | None
) -> Iterator[tuple[ReportedCommit, ReportedCommit, Contents]]:
    """The commits before and after a change, and the contents of their data.

    Args:
        project: in a git repository.
        pair: the commits.
        remote: where contents are read that are not in the cache; None for nowhere.

    Raises:
        LockError, ProjectError: DVC cannot read a file of a commit.
        DvcDiffersError: this DVC reads metrics or plots in another way.
    """
    with (
        TemporaryDirectory(prefix="bucket-report-") as folder,
        revision.opened(project, pair.base) as base,
        revision.opened(project, pair.head) as head,
    ):
        with opened(project) as repo:
            contents = Contents(Path(repo.cache.legacy.path), remote, Path(folder, "contents"))
        cache = Path(folder, "cache")
        config = {"core": {"site_cache_dir": str(cache / "site")}, "cache": {"dir": str(cache)}}
        with offline(project, config) as repo:
            before = _view(repo, "before", base, contents, cache)
            yield before, _view(repo, "after", head, contents, cache), contents


def _view(
    repo: "Repo",
    side: Literal["before", "after"],
    files: revision.Revision,
    contents: Contents,
    cache: Path,
) -> ReportedCommit:
    view = commit_view.CommitView.read(repo, files)
    metrics: Mapping[str, Any] = {"data": {}}
    plots: Mapping[str, Any] = {}
    # For each of the two, DVC reads all stages of the commit once more.
    if view.shown:
        _provide(view, contents, cache)
    if view.snapshot.metrics:
        metrics = dvc_plots.metrics(repo, view.commit)
    if view.snapshot.plots:
        plots = dvc_plots.plots(repo, view.commit)
    return ReportedCommit(files, view.snapshot, side=side, metrics=metrics, plots=plots)


@contextmanager
def offline(
    project: Project, config: Mapping[str, Mapping[str, Any]] | None = None
) -> "Iterator[Repo]":
    """The project, opened by DVC without its remotes."""
    # The report names what cannot be read; DVC would print it, too.
    with opened(project, config) as repo, redirect_stderr(io.StringIO()):
        for name in repo.config["remote"]:
            repo.config["remote"][name] = {"url": "/nonexistent"}
        yield repo


def _provide(view: commit_view.CommitView, contents: Contents, cache: Path) -> None:
    """Link the files of metrics and plots into a cache, if they are at hand."""
    wanted = view.shown
    for path, out in view.snapshot.outs.items():
        name = out.object_name
        if name is None or not any(overlap(path, file) for file in wanted):
            continue
        if ids.is_list(name):
            _link(contents.list_file(name), cache / ids.path(name))
        for file, object_name in (files_of(contents, path, name) or {}).items():
            if any(overlap(file, other) for other in wanted):
                _link(contents.file(file, object_name), cache / ids.path(object_name))


def files_of(contents: Contents, path: str, name: bytes) -> Mapping[str, bytes] | None:
    """The files of an output with the names of their objects, by path from the project's root.

    Args:
        contents: where the list of a directory is read.
        path: of the output.
        name: of its object.

    Returns:
        None if the list of a directory is not at hand.
    """
    if not ids.is_list(name):
        return {path: name}
    members = contents.members(name)
    return members and {f"{path}/{file}": member for file, member in members.items()}


def _link(content: Path | None, target: Path) -> None:
    if content and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(content.resolve())
