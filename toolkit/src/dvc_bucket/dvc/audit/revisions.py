"""Which commits are meant, and which of them differ in what they need."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.audit.findings import Revision
from dvc_bucket.git.contents import Repository, commit_of, git

#: What says where a commit's data is: DVC's own files, and those that can hold their parameters.
METAFILES = ("dvc.yaml", "dvc.lock", ".dvcignore")
PARAMETERS = (".yaml", ".yml", ".json", ".toml", ".py")


@dataclass(frozen=True)
class Selection:
    """What the person asked for; nothing of it means the workspace."""

    revs: Sequence[str] = ()
    all_branches: bool = False
    all_tags: bool = False
    all_commits: bool = False

    @property
    def is_workspace(self) -> bool:
        """Whether no commit is meant."""
        return not (self.revs or self.all_branches or self.all_tags or self.all_commits)


def select(project: Project, selection: Selection) -> list[Revision]:
    """The commits that are meant, those with the same needs left in.

    Raises:
        RevisionError: a revision is none of this clone.
        ProjectError: commits are meant, and there is no git repository.
    """
    if selection.is_workspace:
        return [Revision()]
    repository = _repository(project)
    names: dict[str, list[str]] = {}
    for word in selection.revs:
        names.setdefault(commit_of(repository, word), []).append(word)
    kinds = {"refs/heads": selection.all_branches, "refs/tags": selection.all_tags}
    for name, commit in _references(
        project, [kind for kind, is_meant in kinds.items() if is_meant]
    ):
        names.setdefault(commit, []).append(name)
    found = [Revision(commit, tuple(dict.fromkeys(called))) for commit, called in names.items()]
    if selection.all_commits:
        found += [Revision(commit) for commit in _every_change(project) if commit not in names]
    return found


def distinct(project: Project, revisions: Iterable[Revision]) -> list[list[Revision]]:
    """The revisions in groups whose members need the same, as their files for DVC are the same."""
    groups: dict[object, list[Revision]] = {}
    folder = None
    for revision in revisions:
        if revision.commit is None:
            groups.setdefault(None, []).append(revision)
            continue
        folder = folder or _folder(_repository(project))
        files = _files(project, revision.commit, folder)
        groups.setdefault(_key(project, files), []).append(revision)
    return list(groups.values())


def _repository(project: Project) -> Repository:
    try:
        return Repository.of(project)
    except ProjectError as error:
        if "in no git repository" not in str(error):
            raise
        raise ProjectError(
            f"{project.root} is in no git repository, so it has no revisions. "
            "`bucket verify` alone checks the data of the files as they are."
        ) from None


def _references(project: Project, kinds: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Short name and commit of every reference of these kinds that leads to a commit."""
    if not kinds:
        return
    line = "%(refname:short) %(objecttype) %(objectname) %(*objecttype) %(*objectname)"
    for found in git(project.root, "for-each-ref", f"--format={line}", *kinds).splitlines():
        name, *targets = os.fsdecode(found).split(" ")
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


def _folder(repository: Repository) -> str:
    """The project's folder in the repository, with a slash at its end; empty for the root."""
    path = repository.project.resolve().relative_to(repository.root.resolve()).as_posix()
    return "" if path == "." else f"{path}/"


def _files(project: Project, commit: str, folder: str) -> dict[str, str]:
    """Ids of the contents, by path, of the files that matter at a commit."""
    files = {}
    for entry in git(project.root, "ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
        head, _, path = os.fsdecode(entry).partition("\t")
        ends = (*METAFILES, ".dvc", *PARAMETERS)
        if path.startswith(folder) and path.endswith(ends):
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
