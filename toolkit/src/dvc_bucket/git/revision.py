"""The files of a commit, read from git's objects: no checkout, no work tree."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.git import partial
from dvc_bucket.git.contents import FILES, Entry, Repository, commit_of, git


@dataclass(frozen=True)
class Revision:
    """A commit of the project.

    Attributes:
        commit: its full id.
        date: when it was committed, ISO 8601 with the offset from UTC.
        files: its regular files, by path from the project's root.
    """

    commit: str
    date: str
    files: Mapping[str, Entry]
    _contents: Callable[[str], bytes | None]

    def read(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            ProjectError: the commit has none there, or this clone lacks it.
        """
        if path not in self.files:
            raise ProjectError(f"The commit {self.commit[:12]} has no file {path}.")
        content = self._contents(self.files[path].id)
        if content is None:
            raise lacking(f"{path} of {self.commit[:12]}")
        return content

    def text(self, path: str) -> str:
        """The content of a text file; empty if the commit has none there.

        Raises:
            ProjectError: it is not UTF-8.
        """
        if path not in self.files:
            return ""
        try:
            return self.read(path).decode("utf-8")
        except UnicodeDecodeError:
            raise ProjectError(f"{path} of {self.commit[:12]} is not UTF-8 text.") from None

    def named(self, name: str) -> list[str]:
        """Paths of the files of a name, the nearest to the root first."""
        paths = [path for path in self.files if PurePosixPath(path).name == name]
        return sorted(paths, key=lambda path: (path.count("/"), path))

    def below(self, folder: str) -> list[str]:
        """Paths of the files in a folder, sorted."""
        return sorted(path for path in self.files if path.startswith(f"{folder}/"))


@contextmanager
def opened(project: Project, rev: str) -> Iterator[Revision]:
    """A revision of the project.

    Args:
        project: in a git repository.
        rev: branch, tag or commit.

    Raises:
        RevisionError: there is none of that name.
        ProjectError: the project is in no repository.
    """
    repository = Repository.of(project)
    commit = commit_of(repository, rev)
    partial.complete(project.root, [commit])
    with repository.contents() as contents:
        files = files_of(repository, commit)
        yield Revision(commit, date_of(repository, commit), files, contents)


def lacking(what: str) -> ProjectError:
    """The error for a file in git whose content is not in this clone."""
    return ProjectError(
        f"This is a partial clone without {what}. `git fetch --refetch --no-filter` gets it."
    )


def date_of(repository: Repository, commit: str) -> str:
    """When a commit was made, ISO 8601 with the offset from UTC."""
    said = git(repository.project, "log", "--max-count=1", "--format=%cI", commit)
    return said.decode().strip()


def files_of(repository: Repository, commit: str | None) -> dict[str, Entry]:
    """The regular files of the project in a commit, or in the index, by path from its root.

    Args:
        repository: that has the project.
        commit: its full id; None for the index.
    """
    folder = repository.project.relative_to(repository.root.resolve()).as_posix()
    prefix = "" if folder == "." else f"{folder}/"
    entries = repository.files(commit, prefix) if commit else repository.tracked()
    return {
        entry.path.removeprefix(prefix): entry
        for entry in entries
        if entry.mode in FILES and entry.path.startswith(prefix)
    }
