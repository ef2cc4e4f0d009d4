"""Which commits are checked, and which of them need the same data."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from functools import cache

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit.findings import NamedCommit
from dvc_bucket.git import partial
from dvc_bucket.git.contents import Repository, commit_of, git

#: What says where a commit's data is: DVC's own files, and those that can hold their parameters.
METAFILES = ("dvc.yaml", "dvc.lock", ".dvcignore")
PARAMETERS = (".yaml", ".yml", ".json", ".toml", ".py")


@dataclass(frozen=True)
class Selection:
    """The commits that the person asked for; without any, the workspace."""

    revs: Sequence[str] = ()
    all_branches: bool = False
    all_tags: bool = False
    all_commits: bool = False


#: Every commit of the clone.
EVERYTHING = Selection(all_branches=True, all_tags=True, all_commits=True)


def select(project: Project, selection: Selection) -> list[NamedCommit]:
    """The commits of a selection, also those that need the same data.

    Raises:
        RevisionError: a revision is none of this clone.
        ProjectError: commits are selected, and there is no git repository.
    """
    if not any(astuple(selection)):
        return [NamedCommit()]
    repository = _repository(project)
    names: dict[str, list[str]] = {}
    for word in selection.revs:
        names.setdefault(commit_of(repository, word), []).append(word)
    kinds = {"refs/heads": selection.all_branches, "refs/tags": selection.all_tags}
    for name, commit in _references(project, [kind for kind, chosen in kinds.items() if chosen]):
        names.setdefault(commit, []).append(name)
    if selection.all_commits:
        partial.complete(project.root, [*everywhere(project), *selection.revs], ancestors=True)
    partial.complete(project.root, list(names))
    commits = [NamedCommit(commit, tuple(dict.fromkeys(words))) for commit, words in names.items()]
    if selection.all_commits:
        commits += [NamedCommit(commit) for commit in _every_change(project) if commit not in names]
    return commits


def distinct(project: Project, commits: Iterable[NamedCommit]) -> list[list[NamedCommit]]:
    """The commits in groups whose members need the same data, as their files for DVC are equal."""
    groups: dict[object, list[NamedCommit]] = {}
    for commit in commits:
        key = _key(project, _files(project, commit.commit)) if commit.commit else None
        groups.setdefault(key, []).append(commit)
    return list(groups.values())


def _repository(project: Project) -> Repository:
    try:
        return Repository.of(project)
    except ProjectError as error:
        if "not in a git repository" not in str(error):
            raise
        raise ProjectError(
            f"{project.root} is not in a git repository, so it has no revisions. `bucket verify` "
            "alone checks the data of the files as they are."
        ) from None


def _references(project: Project, kinds: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Short name and commit of every reference of these kinds that leads to a commit."""
    if not kinds:
        return
    line = "%(refname:short) %(objecttype) %(objectname) %(*objecttype) %(*objectname)"
    for reference in git(project.root, "for-each-ref", f"--format={line}", *kinds).splitlines():
        name, *targets = os.fsdecode(reference).split(" ")
        for kind, commit in (targets[:2], targets[2:]):
            if kind == "commit":
                yield name, commit


def _every_change(project: Project) -> list[str]:
    """Commits, the newest first, such that every commit needs what one of them needs.

    A commit that changes no file that matters needs what a parent needs.
    """
    # The last name of a file may stand in any folder, the project's or one below.
    paths = [f":(glob)**/*{end}" for end in (*METAFILES, ".dvc", *PARAMETERS)]
    listed = git(project.root, "rev-list", "--full-history", *everywhere(project), "--", *paths)
    return listed.decode().split()


def everywhere(project: Project) -> list[str]:
    """What leads to every commit of this clone, in the words of `git rev-list`."""
    places = ["--branches", "--tags", "--remotes"]
    try:
        git(project.root, "rev-parse", "--verify", "--quiet", "HEAD")
    except ProjectError:  # before the first commit of a branch
        return places
    return [*places, "HEAD"]


def _files(project: Project, commit: str) -> dict[str, str]:
    """Ids of the contents, by path, of the project's files that matter at a commit."""
    files = {}
    for entry in git(project.root, "ls-tree", "-r", "-z", commit).split(b"\0"):
        head, _, path = os.fsdecode(entry).partition("\t")
        if path.endswith((*METAFILES, ".dvc", *PARAMETERS)):
            files[path] = head.split(" ")[2]
    return files


def _key(project: Project, files: dict[str, str]) -> object:
    """Equal for two commits only if DVC reads the same needs from both."""
    pipelines = [content for path, content in files.items() if path.endswith("dvc.yaml")]
    is_templated = any(_is_templated(project, content) for content in pipelines)
    return frozenset(
        (path, content)
        for path, content in files.items()
        if is_templated or path.endswith((*METAFILES, ".dvc"))
    )


@cache
def _is_templated(project: Project, content: str) -> bool:
    """Whether a `dvc.yaml` takes values from elsewhere."""
    return b"${" in git(project.root, "cat-file", "blob", content)
