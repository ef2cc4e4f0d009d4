"""What git holds: the index, the tracked files, every content of every commit."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from dvc_bucket.base.errors import ProjectError, RevisionError
from dvc_bucket.base.paths import Project
from dvc_bucket.git import owner

#: Modes of what is no content of this repository: a submodule, and nothing at all (deleted).
SUBMODULE = "160000"
NO_CONTENT = {SUBMODULE, "000000"}

#: Modes of regular files. Links and submodules have their content elsewhere.
EXECUTABLE = "100755"
FILES = {"100644", EXECUTABLE}

#: A clone can bring a bare repository: its configuration starts programs, its index hides files.
#: The other settings of a person add to what is read here, or start a program (fsmonitor).
GIT = (
    *("git", "-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false"),
    *("-c", "log.showSignature=false", "-c", "core.quotePath=false", "--no-replace-objects"),
)


@dataclass(frozen=True)
class Entry:
    """A file as git holds it: path, id of its content, the commit, if of one, and git's mode."""

    path: str
    id: str
    commit: str | None = None
    mode: str = ""

    @property
    def is_executable(self) -> bool:
        """Whether git gives it the permission to run."""
        return self.mode == EXECUTABLE


@dataclass(frozen=True)
class Repository:
    """The git repository that a project lies in.

    Attributes:
        project: the project; the repository can be larger.
        root: of the work tree.
        main: root of the main work tree; another folder where `root` is a linked one.
        hooks: where git looks for hooks.
        git_dir: what all work trees share.
        is_shallow: whether a part of the history is not in this clone.
    """

    project: Path
    root: Path
    main: Path
    hooks: Path
    git_dir: Path
    is_shallow: bool

    @classmethod
    def of(cls, project: Project) -> "Repository":
        """Find the repository of `project`.

        Raises:
            ProjectError: git is not there, or the project is in no work tree of it.
        """
        questions = ("--show-toplevel", "--git-common-dir", "--git-path", "hooks")
        answer = git(project.root, "rev-parse", *questions, "--is-shallow-repository")
        root, common, hooks, shallow = os.fsdecode(answer).removesuffix("\n").rsplit("\n", 3)
        git_dir = (project.root / common).resolve()
        return cls(
            project=project.root,
            root=Path(root),
            main=git_dir.parent if git_dir.name == ".git" else Path(root),
            hooks=project.root / hooks,
            git_dir=git_dir,
            is_shallow=shallow == "true",
        )

    def staged(self) -> list[Entry]:
        """What the index holds that the last commit does not: what `git commit` would add."""
        head = ended(self.project, "rev-parse", "--quiet", "--verify", "HEAD")
        # Before the first commit: against the tree without a file, whose id depends on the hash.
        base = head.stdout.strip() or git(self.project, "hash-object", "-t", "tree", os.devnull)
        options = ("--cached", "--no-renames", "--no-relative", "--full-index", "-z")
        raw = git(self.project, "diff-index", *options, os.fsdecode(base.strip()), "--")
        return [entry for entry in _changes(iter(raw.split(b"\0"))) if entry.path]

    def tracked(self) -> list[Entry]:
        """All tracked files, with the ids of what the index holds."""
        return [entry for entry in self._index() if entry.mode not in NO_CONTENT]

    def submodules(self) -> list[str]:
        """Folders of other repositories that the index names and that are here."""
        paths = [entry.path for entry in self._index() if entry.mode == SUBMODULE]
        return [path for path in paths if (self.root / path / ".git").exists()]

    def tags(self) -> list[Entry]:
        """The annotated tags: the name, and the id of what has the message."""
        form = "--format=%(objecttype) %(objectname) %(refname:lstrip=2)"
        lines = os.fsdecode(git(self.project, "for-each-ref", form, "refs/tags")).splitlines()
        entries = [line.split(" ", 2) for line in lines]
        return [Entry(name, tag) for kind, tag, name in entries if kind == "tag"]

    def _index(self) -> list[Entry]:
        """Each file in the index; of the sides of a file in conflict, the last."""
        raw = git(self.project, "ls-files", "--stage", "--full-name", "-z", "--", ":/")
        listed = {path: (content, mode) for (mode, content, _), path in _listed(raw)}
        return [Entry(path, content, None, mode) for path, (content, mode) in listed.items()]

    def files(self, commit: str, folder: str = "") -> list[Entry]:
        """All files of a commit, of the whole repository, or in a folder that ends with a slash.

        Raises:
            ProjectError: the clone does not have the commit.
        """
        raw = git(self.project, "ls-tree", "-r", "-z", "--full-tree", commit, "--", folder or ".")
        return [
            Entry(path, content, commit, mode)
            for (mode, _, content), path in _listed(raw)
            if mode not in NO_CONTENT
        ]

    def links(self, commit: str) -> list[Entry]:
        """The submodules of a commit, each with the id of its own commit."""
        listed = _listed(git(self.root, "ls-tree", "-r", "-z", "--full-tree", commit))
        return [Entry(path, id, commit) for (mode, _, id), path in listed if mode == SUBMODULE]

    def sizes(self, contents: Iterable[str]) -> dict[str, int]:
        """Bytes of contents by their ids; those that the clone lacks are left out."""
        asked = "".join(f"{content}\n" for content in contents).encode()
        options = "--batch-check=%(objectname) %(objectsize)"
        said = git(self.project, "cat-file", options, stdin=asked)
        pairs = [line.split() for line in said.decode().splitlines()]
        return {name: int(size) for name, size in pairs if size != "missing"}

    def is_as_in_index(self, entry: Entry) -> bool:
        """Whether the work tree has the content of `entry`."""
        if not (self.root / entry.path).is_file():
            return False
        return git(self.root, "hash-object", "--", entry.path).decode().strip() == entry.id

    def history(self, revisions: Sequence[str]) -> Iterator[Entry]:
        """Every file that any commit of `revisions` added or changed, the oldest first.

        A merge gives what neither side had. Before its files, a commit has an entry without path.

        Raises:
            ProjectError: git cannot list them.
        """
        options = ("--stdin", "--root", "--always", "-r", "-c", "-z", "--raw", "--no-renames")
        try:
            commits = git(self.project, "rev-list", "--reverse", *revisions, "--")
            changes = git(self.project, "diff-tree", *options, stdin=commits)
        except ProjectError:
            raise ProjectError(f"git cannot list the commits of {' '.join(revisions)}.") from None
        yield from _changes(iter(changes.split(b"\0")))

    def read_tracked(self, path: str) -> bytes:
        """Content of a tracked file in the work tree; nothing if it is not there or no file.

        Raises:
            ProjectError: it is there and cannot be read.
        """
        file = self.root / path
        try:
            mode = file.lstat().st_mode
            if stat.S_ISLNK(mode):
                return os.fsencode(file.readlink())
            return file.read_bytes() if stat.S_ISREG(mode) else b""
        except (FileNotFoundError, NotADirectoryError):
            return b""
        except OSError as error:
            raise ProjectError(f"{file} cannot be read: {error.strerror}.") from None

    @contextmanager
    def contents(self) -> Iterator[Callable[[str], bytes | None]]:
        """A function from the id of a content to its bytes; None where the clone lacks it."""
        pipe, command = subprocess.PIPE, [*GIT, "cat-file", "--batch"]
        with subprocess.Popen(
            command, cwd=self.project, env=_environment(), stdin=pipe, stdout=pipe
        ) as process:
            requests, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)

            def read(content: str) -> bytes | None:
                requests.write(f"{content}\n".encode())
                requests.flush()
                head = answers.readline().split()
                return answers.read(int(head[2]) + 1)[:-1] if len(head) == 3 else None

            yield read


def is_in_repository(folder: Path) -> bool:
    """Whether a folder, or one above, is the root of a work tree of git."""
    return any((place / ".git").exists() for place in (folder, *folder.parents))


def _listed(raw: bytes) -> Iterator[tuple[list[str], str]]:
    """The words and the path of each entry in a listing of git."""
    for line in filter(None, raw.split(b"\0")):
        head, _, path = os.fsdecode(line).partition("\t")
        yield head.split(), path


def _changes(tokens: Iterator[bytes]) -> Iterator[Entry]:
    """Entries from git's raw format: `:MODES IDS STATUS`, path, or the id of a commit."""
    commit = None
    for token in tokens:
        if not token.startswith(b":"):
            commit = token.decode() or None
            if commit:
                yield Entry("", commit, commit)
            continue
        path = os.fsdecode(next(tokens))
        # One mode and one id a side, and those of the result; a merge has a colon a parent.
        words = token.decode().lstrip(":").split()
        mode, content = words[len(words) // 2 - 1], words[-2]
        if mode not in NO_CONTENT:
            yield Entry(path, content, commit)


def _environment() -> dict[str, str]:
    """English messages, no network: git neither fetches what a partial clone lacks nor asks."""
    return {**os.environ, "LC_ALL": "C", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}


def ended(
    folder: Path, *arguments: str, stdin: bytes | None = None, **variables: str | None
) -> subprocess.CompletedProcess[bytes]:
    """A git command, ended well or not, with these variables beside those of the environment.

    A variable that is None is taken out.

    Raises:
        ProjectError: git is not installed.
    """
    command, merged = [*GIT, *arguments], {**_environment(), **variables}
    env = {name: value for name, value in merged.items() if value is not None}
    try:
        return subprocess.run(
            command, cwd=folder, env=env, input=stdin, capture_output=True, check=False
        )
    except FileNotFoundError:
        raise ProjectError("git is not installed, or not on the PATH. Install it.") from None


def git(
    folder: Path, *arguments: str, stdin: bytes | None = None, **variables: str | None
) -> bytes:
    """What a git command prints; variables as of `ended`.

    Raises:
        ProjectError: it is not installed, fails, or `folder` is in no repository.
        OwnerError: the repository is another user's.
    """
    done = ended(folder, *arguments, stdin=stdin, **variables)
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode(errors="replace").strip()
    owner.check(said)
    if "not a git repository" in said:
        raise ProjectError(f"{folder} is not in a git repository, so there is nothing to check.")
    raise ProjectError(f"`git {arguments[0]}` failed in {folder}: {said}")


def commit_of(repository: Repository, word: str) -> str:
    """Full id of the commit that `word` names.

    Raises:
        RevisionError: there is none of that name.
    """
    options = ("--verify", "--quiet", "--end-of-options")
    try:
        answer = git(repository.project, "rev-parse", *options, f"{word}^{{commit}}")
    except ProjectError:
        hint = "This clone is shallow; `git fetch --unshallow` gets the rest of the history."
        raise RevisionError(
            f"Unknown revision {word}. "
            + (hint if repository.is_shallow else "`git log --all --oneline` lists the commits.")
        ) from None
    return answer.decode().split()[-1]
