"""Which two commits are compared."""

from dataclasses import dataclass

from dvc_bucket.base.errors import RevisionError
from dvc_bucket.base.paths import Project
from dvc_bucket.git.contents import Repository, commit_of, ended, git

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
            f"{head} is in {named}, the default branch, already: cannot infer a base. Name one: "
            "`--base HEAD~1`."
        )
    if before == after:  # asked for the other way round
        before = tip
    count = git(project.root, "rev-list", "--count", f"{before}..{after}")
    subject = git(project.root, "show", "--no-patch", "--format=%s", after)
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
