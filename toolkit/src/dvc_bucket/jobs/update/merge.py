"""The first half: a new version of the template, merged into the work tree or shown."""

import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dvc_bucket.base.errors import UpdateError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.programs import ran
from dvc_bucket.base.words import shortened
from dvc_bucket.git import answers as answers_file
from dvc_bucket.git.answers import Answers
from dvc_bucket.git.checkout import check_out
from dvc_bucket.git.contents import Repository, git
from dvc_bucket.jobs.update import locks, template

#: How many paths a sentence names.
NAMED = 5

#: Of git alone for this one command: nobody's hooks, line ends or name.
PLAIN = ("-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false", "-c", "user.name=bucket",
         "-c", "user.email=bucket")  # fmt: skip

#: The files that `make lock` needs whole.
LOCKED_WITH = {"Makefile", "pyproject.toml"}


@dataclass(frozen=True)
class UpdateOptions:
    """What a project takes, and from where.

    Attributes:
        version: three numbers; empty for the newest, or the current one if answers change.
        source: URL or path of the template; empty for the one that the project names.
        data: answers to change, each `NAME=VALUE`.
    """

    version: str = ""
    source: str = ""
    data: Sequence[str] = ()

    @property
    def folder(self) -> str:
        """Absolute path of the template; empty where the source is none on this machine."""
        path = Path(self.source).expanduser()
        return str(path.resolve()) if self.source and path.exists() else ""

    def answers(self, current: Answers) -> list[str]:
        """The answers for copier; the URL of the template never becomes a path."""
        keeps_url = self.folder or not self.source
        return [*([f"template_url={current.source}"] if keeps_url else []), *self.data]


@dataclass(frozen=True)
class Merge:
    """A merge in a clone of the project.

    Attributes:
        repository: of the project.
        clone: root of its clone.
        base: the commit that was merged with.
        tree: id of the merged tree, in the clone.
        conflicts: by path, mode and blob of each side: 1 last update, 2 project, 3 new version.
    """

    repository: Repository
    clone: Path
    base: str
    tree: str
    conflicts: Mapping[str, Mapping[str, tuple[str, str]]]

    def _diff(self, *options: str) -> bytes:
        return git(self.clone, "diff-tree", "-r", "--no-renames", *options, self.base, self.tree)

    def as_text(self) -> str:
        """The difference, for a person."""
        return self._diff("--patch-with-stat").decode(errors="replace")

    @property
    def advice(self) -> str:
        """The files in conflict, and what to do with them."""
        files = " ".join(sorted(self.conflicts))
        lock = "make lock && " if _needs_lock(self.conflicts) else ""
        return (
            f"Both you and the template changed the same lines of: {files}\n"
            f"Edit them, then: git add {files} && {lock}make updated"
        )

    def apply(self) -> None:
        """Change the work tree. Files in conflict have both sides, and git knows them as such.

        Raises:
            UpdateError: a file that git does not have is in the way of a new one.
            ProjectError: git cannot change the work tree; then nothing is changed.
        """
        added = os.fsdecode(self._diff("--name-only", "--diff-filter=A", "-z")).split("\0")
        root = self.repository.root
        if taken := [path for path in added if path and os.path.lexists(root / path)]:
            raise UpdateError(
                f"{_named(taken)}: not in git, but the new version has a file with that name. "
                "Nothing was changed. Move it away, then run the command again."
            )
        patch = self._diff("-p", "--binary", "--full-index")
        if patch.strip():
            git(root, "apply", "--whitespace=nowarn", "-", stdin=patch)
        lines = list(self._index_lines())
        git(root, "update-index", "--index-info", stdin="".join(lines).encode())

    def _index_lines(self) -> Iterator[str]:
        """What makes `git status` list the conflicts, and `git commit` refuse them."""
        for path, sides in self.conflicts.items():
            yield f"0 {'0' * len(self.tree)}\t{path}\n"
            for side, (mode, blob) in sides.items():
                content = git(self.clone, "cat-file", "blob", blob)
                kept = git(self.repository.root, "hash-object", "-w", "--stdin", stdin=content)
                yield f"{mode} {kept.decode().strip()} {side}\t{path}\n"


@contextmanager
def merging(
    project: Project, options: UpdateOptions, say: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[str, Merge | None]]:
    """A version of the template, merged in a clone that is there as long as the context is.

    Gives the version, and no merge if the project is of that version already.

    Args:
        project: the person's clone.
        options: what it takes.
        say: hears what is being done.

    Raises:
        UpdateError: the project or the template does not allow it; nothing was changed.
        ProjectError: git fails, or the answers cannot be read.
    """
    repository, answers = Repository.of(project), _answers(project)
    _refuse_changes(repository)
    with tempfile.TemporaryDirectory(prefix="bucket-update-") as name:
        folder = Path(name).resolve()
        say("fetching the template")
        source = options.folder or options.source or answers.source
        origin = template.clone(source, folder / "template")
        wanted = options.version or (answers.version if options.data else "")
        version = origin.choose(answers, wanted)
        if version == answers.version and not options.data:
            yield version, None
            return
        say(f"merging version {version}")
        clone, base = _clone(repository, folder / "project")
        inside = clone / project.root.resolve().relative_to(repository.root.resolve())
        _copier(inside, answers, origin.root, f"v{version}", options.answers(answers))
        conflicts = _conflicts(clone)
        if not _needs_lock(conflicts):
            say("locking the packages")
            locks.lock(inside)
        git(clone, *PLAIN, "add", "--all", "--force")
        tree = git(clone, "write-tree").decode().strip()
        yield version, Merge(repository, clone, base, tree, conflicts)


def _answers(project: Project) -> Answers:
    """The answers of a project.

    Raises:
        UpdateError: it has none.
    """
    if found := answers_file.read(project):
        return found
    restore = answers_file.restore(project)
    advice = (
        f"Restore it: {restore}" if restore else ("Only a project created by `make new` has one.")
    )
    raise UpdateError(
        f"This project has no {answers_file.FILE}, which records its version and answers. {advice}"
    )


def _refuse_changes(repository: Repository) -> None:
    """Refuse a work tree in which an update could not be told from the person's own changes.

    Raises:
        UpdateError: naming them.
    """
    said = os.fsdecode(git(repository.root, "status", "--porcelain", "-z", "--no-renames"))
    if changed := [line[3:] for line in said.split("\0") if line]:
        raise UpdateError(f"Commit or stash your changes first: {_named(changed)}")


def _clone(repository: Repository, root: Path) -> tuple[Path, str]:
    """A clone of the project without its configuration, and its commit."""
    commit = git(repository.root, "rev-parse", "HEAD").decode().strip()
    check_out(repository, commit, root, GIT_LFS_SKIP_SMUDGE="1")
    return root, commit


def _copier(
    inside: Path, answers: Answers, source: Path, version: str, data: Sequence[str]
) -> None:
    """Have copier update the clone from the clone of the template.

    Raises:
        UpdateError: there is no copier, or it stops.
    """
    if not importlib.util.find_spec("copier"):
        raise UpdateError("copier is not installed; requirements-dev.lock has it: make setup")
    # JSON is YAML; copier writes the file again.
    text = json.dumps({**answers.values, "_src_path": str(source)}, default=str)
    _write(inside / answers_file.FILE, text)
    git(inside, *PLAIN, "commit", "--quiet", "--all", "--no-gpg-sign", "--message", "Source")
    words = ["update", "--defaults", "--quiet", "--conflict", "inline", "--vcs-ref", version]
    given = [word for one in data for word in ("--data", one)]
    done = ran([sys.executable, "-m", "copier", *words, *given, "."], inside)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise UpdateError(f"copier stopped, so nothing was changed:\n{said}")


def _conflicts(clone: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """The files that both sides changed in the same lines; lock files are merged."""
    conflicts: dict[str, dict[str, tuple[str, str]]] = {}
    for line in filter(None, git(clone, "ls-files", "--unmerged", "-z").split(b"\0")):
        head, _, path = os.fsdecode(line).partition("\t")
        mode, blob, side = head.split()
        conflicts.setdefault(path, {})[side] = (mode, blob)
    for path in [path for path in conflicts if PurePosixPath(path).match("requirements*.lock")]:
        sides = conflicts.pop(path)
        texts = [
            git(clone, "cat-file", "blob", sides[side][1]).decode() if side in sides else ""
            for side in "123"
        ]
        _write(clone / path, locks.merged(*texts))
    return conflicts


def _needs_lock(conflicts: Iterable[str]) -> bool:
    """Whether the packages can be locked only when the conflicts are resolved."""
    return bool(LOCKED_WITH & {PurePosixPath(path).name for path in conflicts})


def _write(path: Path, text: str) -> None:
    """Write a file of the clone; where it is a link, that goes, and not what it leads to."""
    path.unlink(missing_ok=True)
    path.write_text(text, encoding="utf-8")


def _named(paths: Sequence[str]) -> str:
    return ", ".join(shortened(paths, NAMED)).replace(",   and", " and")
