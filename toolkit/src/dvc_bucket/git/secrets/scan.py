"""The search for credentials in what is staged, tracked, or in any commit."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted
from dvc_bucket.git import partial
from dvc_bucket.git.contents import Entry, Repository
from dvc_bucket.git.secrets import kingfisher
from dvc_bucket.git.secrets.rules import Hit, Rules

Where = Literal["staged", "tracked", "history"]

#: What `git commit --verbose` puts below it is not part of the message.
SCISSORS = b" ------------------------ >8 ------------------------"

FIXES = {
    "staged": (
        "Remove the value from the file and keep it in .env, which git ignores, or remove the file "
        "from the commit with `git restore --staged FILE` (before the first commit: `git rm "
        "--cached FILE`)."
    ),
    "tracked": (
        "Remove the value from the file and keep it in .env, which git ignores. If git must not "
        "track the file, run `git rm --cached FILE`. `bucket secrets --history` lists the commits "
        "that contain it."
    ),
    "history": (
        "Older commits keep content that a later commit removes. Replace the key first. Then `git "
        "filter-repo` can remove the content from the history; it gives all later commits new IDs."
    ),
}
ROTATE = (
    "Treat a pushed key as compromised: revoke it and issue a new one. Deleting the line is not "
    "enough."
)
HARMLESS = (
    "If the value is not a secret, end its line with the comment `pragma: allowlist secret`, or "
    "add its SHA-256 and a reason to .secrets-allowed (see README.md)."
)


@dataclass(frozen=True)
class Finding:
    """Something that must not be in git; never the secret itself.

    Attributes:
        path: of the file, from the root of the git repository; or which message has it.
        line: its number, counted from 1; None for a whole file or a binary one.
        what: the nature of the finding.
        commit: the first commit that has it, where the history was searched.
    """

    path: str
    line: int | None
    what: str
    commit: str | None = None

    def __str__(self) -> str:
        """As one line for a person."""
        line = f", line {self.line}" if self.line else ""
        commit = f", in commit {self.commit[:7]}" if self.commit else ""
        return f"{self.path}{line}: {self.what}{commit}"


@dataclass
class ScanResult:
    """What a search found, and how much it covered.

    Attributes:
        where: which part of the repository was searched.
        findings: in the order of the search; in the history, the oldest commit first.
        files: how many files, or, in the history, contents of files.
        commits: how many commits, in the history.
        unopened: how many archives are damaged or too large, and were searched as they are.
        is_partial: whether a part of the history is not in this clone.
    """

    where: Where
    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    commits: int = 0
    unopened: int = 0
    is_partial: bool = False

    def as_json(self) -> str:
        """For a program, on one line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def __str__(self) -> str:
        """For a person: the findings and what to do, or one line."""
        lines = [str(finding) for finding in self.findings]
        if lines:
            lines += ["", f"{FIXES[self.where]} {ROTATE} {HARMLESS}"]
        elif self.where == "history":
            lines = [f"No secret in {counted(self.commits, 'commit')}."]
        else:
            lines = [f"No secret in {counted(self.files, f'{self.where} file')}."]
        if self.unopened:
            lines.append(
                f"{counted(self.unopened, 'archive')} could not be unpacked (damaged, or over 256 "
                "MB); only the compressed bytes were searched."
            )
        if self.is_partial:
            lines.append(
                "Only part of the history was searched, because this clone is incomplete (`git "
                "fetch --unshallow` gets the rest)."
            )
        return "\n".join(lines)


def staged(project: Project, message: Path | None = None) -> ScanResult:
    """Search what `git commit` would add now: the index, not the work tree.

    Args:
        project: in the repository.
        message: a file with the message of the commit.

    Raises:
        ProjectError: the project is in no git repository, or `.secrets-allowed` is malformed.
    """
    repository = Repository.of(project)
    scan = _Scan(Rules(project, repository.main), ScanResult("staged"))
    if message:
        scan.add_message("commit message", message.read_bytes().partition(SCISSORS)[0])
    with repository.contents() as read:
        for entry in repository.staged():
            scan.add(entry, read)
    return scan.result


def tracked(project: Project) -> ScanResult:
    """Search the tracked files as they are in the work tree, those of submodules, too.

    Raises:
        ProjectError: the project is in no git repository, or a file cannot be read.
    """
    outer = Repository.of(project)
    scan = _Scan(Rules(project, outer.main), ScanResult("tracked"))
    for scan.folder, repository in _with_nested(outer):
        for entry in repository.tracked():
            scan.add_tracked(entry, repository)
    return scan.result


def history(project: Project, revisions: Sequence[str] = ("--all",)) -> ScanResult:
    """Search the contents and messages of all commits of `revisions`, those of submodules, too.

    Raises:
        ProjectError: the project is in no git repository, or git does not know a revision.
    """
    outer = Repository.of(project)
    scan = _Scan(Rules(project, outer.main), ScanResult("history"))
    for scan.folder, repository in _with_nested(outer):
        scan.result.is_partial |= repository.is_shallow
        partial.complete(repository.root, revisions, ancestors=True)
        with repository.contents() as read:
            for entry in repository.history(revisions):
                scan.add(entry, read)
            for tag in repository.tags() if "--all" in revisions else []:
                scan.add_message(f"message of the tag {tag.path}", _message(read(tag.id)))
    return scan.result


def _with_nested(outer: Repository) -> Iterator[tuple[str, Repository]]:
    """A repository and those of its submodules that are here, each with its folder."""
    yield "", outer
    for path in outer.submodules():
        for folder, repository in _with_nested(Repository.of(Project(outer.root / path))):
            yield f"{path}/{folder}", repository


def _message(content: bytes | None) -> bytes:
    """The message in a commit or tag as git stores it."""
    return (content or b"").partition(b"\n\n")[2]


@dataclass
class _Scan:
    """Searches one content after the other, each once, and counts.

    Attributes:
        rules: what is searched for.
        result: of what was searched so far.
        folder: of the repository whose contents come, with a slash; empty for the outer one.
    """

    rules: Rules
    result: ScanResult
    folder: str = ""
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, entry: Entry, read: Callable[[str], bytes | None]) -> None:
        """Search a content that git stores, or the message of a commit."""
        if not entry.path:
            self.result.commits += 1
            self.add_message("commit message", _message(read(entry.id)), entry.commit)
            return
        is_bad = self.rules.fault_of_name(entry.path) is not None
        key = (entry.id, entry.path if is_bad else self.rules.notation(entry.path))
        if key in self._seen:
            return
        self._seen.add(key)
        self.result.files += 1
        if self.rules.is_content_allowed(entry.id):
            return
        content = read(entry.id)
        if content is None:
            self.result.is_partial = True
        else:
            self._examine(entry, content)

    def add_tracked(self, entry: Entry, repository: Repository) -> None:
        """Search a file of the work tree."""
        self.result.files += 1
        if not self.rules.is_content_allowed(entry.id) or not repository.is_as_in_index(entry):
            self._examine(entry, repository.read_tracked(entry.path))

    def add_message(self, title: str, text: bytes, commit: str | None = None) -> None:
        """Search a message, in which a colon begins an explanation as in a text file."""
        self._report(title, self.rules.examine("message.txt", text), commit)

    def _examine(self, entry: Entry, content: bytes) -> None:
        """Search a file: everything in its content and in an archive, or its name alone."""
        if fault := self.rules.fault_of_name(entry.path):
            self._report(entry.path, [(None, fault)], entry.commit)
            return
        contents = [(entry.path, content)]
        if kingfisher.is_archive(content):
            try:
                contents += kingfisher.members(entry.path, content)
            except kingfisher.UnpackError:
                self.result.unopened += 1
        for path, data in contents:
            self._report(path, self.rules.examine(path, data), entry.commit)

    def _report(self, path: str, hits: list[Hit], commit: str | None) -> None:
        """Keep what was found in one content, in the order of the lines."""
        shown = self.rules.shown(self.folder + path)
        for line, what in sorted(hits, key=lambda hit: hit[0] or 0):
            self.result.findings.append(Finding(shown, line, what, commit))
