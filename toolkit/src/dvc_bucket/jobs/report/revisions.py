"""Which two commits are compared."""

from dataclasses import dataclass

from dvc_bucket.base.errors import RevisionError
from dvc_bucket.base.paths import Project
from dvc_bucket.git.contents import Repository, commit_of, ended, git

#: Names of default branches, where the clone does not say which it is.
USUAL = ("origin/main", "origin/master", "main", "master")


@dataclass(frozen=True)
class Pair:
    """A change.

    Attributes:
        base: full id of the commit before it.
        head: full id of the commit after it.
        left: the branch whose common ancestor with the head is the base; empty where the base is
            the commit that was named.
        commits: how many there are from base to head.
        subject: first line of the head's message.
    """

    base: str
    head: str
    left: str
    commits: int
    subject: str


def choose(project: Project, base: str | None, head: str) -> Pair:
    """The commits that are meant.

    As in a pull request, what the base has got since the head left it is no part of the change: the
    base is the last commit that both have.

    Args:
        project: in a git repository.
        base: branch, tag or commit; None for the default branch.
        head: branch, tag or commit.

    Raises:
        RevisionError: there is no such commit, or what the base is cannot be known.
        ProjectError: the project is in no git repository.
    """
    repository = Repository.of(project)
    after = commit_of(repository, head)
    named = base or _default_branch(repository)
    tip = commit_of(repository, named)
    before = _common(repository, tip, after)
    if base is None and before == after:
        raise RevisionError(
            f"{head} is in {named}, the default branch, already, so there is no base to be taken "
            "for granted. Name one: `--base HEAD~1`."
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
    """The name by which this clone knows it.

    Raises:
        RevisionError: it knows none.
    """
    options = ("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
    said = ended(repository.project, *options).stdout.decode().strip()
    for name in filter(None, (said, *USUAL)):
        found = ended(repository.project, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if found.returncode == 0:
            return name
    raise RevisionError(
        "What the change is to be compared with cannot be known: this clone has no default branch "
        f"(no origin/HEAD, {', '.join(USUAL)}). Name it: `--base REV`."
    )


def _common(repository: Repository, base: str, head: str) -> str:
    """The last commit that two have in common; the base itself where they have none.

    Raises:
        RevisionError: the clone is shallow, and what it has of the history does not say.
    """
    found = ended(repository.project, "merge-base", base, head).stdout.decode().split()
    if found:
        return found[0]
    if repository.is_shallow:
        raise RevisionError(
            f"This clone is shallow and does not have the commit that {base[:12]} and "
            f"{head[:12]} come from. `git fetch --unshallow` gets the rest of the history."
        )
    return base
