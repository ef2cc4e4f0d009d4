"""No secret gets in: what is staged, tracked, or in any commit is searched for credentials."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted
from dvc_bucket.git.contents import Entry, Piece, Repository
from dvc_bucket.git.secrets.rules import Rules

Where = Literal["staged", "tracked", "history"]

FIXES = {
    "staged": (
        "Take the value out of the file (it belongs in .env, which git ignores), or the file out "
        "of the commit: `git restore --staged FILE`, and before the first commit "
        "`git rm --cached FILE`."
    ),
    "tracked": (
        "Take the value out of the file (it belongs in .env, which git ignores); a file that git "
        "must not hold goes with `git rm --cached FILE`. If it is in a commit already, "
        "`bucket secrets --history` says which."
    ),
    "history": (
        "A commit keeps what a later one removes. Change the key first; then "
        "`git filter-repo` can take the content out of the history, which gives every commit "
        "after it a new id."
    ),
}
ROTATE = (
    "Treat a pushed key as compromised: revoke it and issue a new one. Deleting the line is not "
    "enough."
)
HARMLESS = (
    "A value that is no secret: end its line with a comment `pragma: allowlist secret`, or put "
    "its SHA-256 and a reason into .secrets-allowed (see README.md)."
)


@dataclass(frozen=True)
class Finding:
    """Something that must not be in git; never the secret itself.

    Attributes:
        path: of the file, from the root of the git repository.
        line: of it, counted from 1; None where the whole file is meant or it is no text.
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


@dataclass(frozen=True)
class Outcome:
    """What a search found, and how much it saw.

    Attributes:
        where: which part of the repository was searched.
        findings: in the order of the search; in the history, the oldest commit first.
        files: how many files, or, in the history, contents of files.
        commits: how many commits, in the history.
        is_partial: whether a part of the history is not in this clone.
    """

    where: Where
    findings: list[Finding]
    files: int
    commits: int = 0
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
        if self.is_partial:
            lines.append(
                "Only a part of the history was searched: this clone does not have all of it "
                "(`git fetch --unshallow` gets the rest)."
            )
        return "\n".join(lines)


def staged(project: Project) -> list[Finding]:
    """Secrets in what `git commit` would add now: the index, not the work tree.

    Raises:
        ProjectError: the project is in no git repository, or `.secrets-allowed` is malformed.
    """
    return search(project, "staged").findings


def tracked(project: Project) -> list[Finding]:
    """Secrets in the tracked files as they are in the work tree.

    Raises:
        ProjectError: the project is in no git repository, or a file cannot be read.
    """
    return search(project, "tracked").findings


def history(project: Project, revisions: Sequence[str] = ("--all",)) -> list[Finding]:
    """Secrets in any content that any commit of `revisions` holds, or ever held.

    Raises:
        ProjectError: the project is in no git repository, or git does not know a revision.
    """
    return search(project, "history", revisions).findings


def search(project: Project, where: Where, revisions: Sequence[str] = ("--all",)) -> Outcome:
    """Search a part of the git repository that `project` lies in, and say how much was seen.

    Raises:
        ProjectError: the project is in no git repository, or something in it cannot be read.
    """
    repository = Repository.of(project)
    rules = Rules(project, repository.main)
    if where == "tracked":
        files = repository.tracked()
        found = [
            finding
            for file in files
            if not (rules.is_content_allowed(file.id) and repository.is_as_in_index(file))
            for finding in _in_file(rules, file, repository.read_tracked(file.path))
        ]
        return Outcome(where, found, len(files))
    entries = repository.staged() if where == "staged" else repository.history(revisions)
    with repository.contents() as read:
        tally = _Tally(rules, read)
        found = [finding for entry in entries for finding in tally.add(entry)]
    is_partial = where == "history" and (repository.is_shallow or tally.missing > 0)
    return Outcome(where, found, tally.files, tally.commits, is_partial)


class _Tally:
    """Searches one content after the other, each once, and counts."""

    def __init__(self, rules: Rules, read: Callable[[str], Iterator[Piece] | None]) -> None:
        self.files = self.commits = self.missing = 0
        self._rules, self._read = rules, read
        self._seen: set[tuple[str, str]] = set()

    def add(self, entry: Entry) -> list[Finding]:
        """What is new in `entry`."""
        if not entry.path:
            self.commits += 1
            return []
        rules = self._rules
        is_bad = rules.named_badly(entry.path) is not None
        key = (entry.id, entry.path if is_bad else rules.notation(entry.path))
        if key in self._seen:
            return []
        self._seen.add(key)
        self.files += 1
        if rules.is_content_allowed(entry.id):
            return []
        pieces = self._read(entry.id)
        if pieces is None:
            self.missing += 1
            return []
        return _in_file(rules, entry, pieces)


def _in_file(rules: Rules, entry: Entry, pieces: Iterable[Piece]) -> list[Finding]:
    """The findings in one file: its name alone, or everything in its content."""
    content = sorted(rules.examine(entry.path, pieces), key=lambda hit: hit[0] or 0)
    fault = rules.named_badly(entry.path)
    hits = [(None, fault)] if fault else content
    return [Finding(rules.shown(entry.path), line, what, entry.commit) for line, what in hits]
