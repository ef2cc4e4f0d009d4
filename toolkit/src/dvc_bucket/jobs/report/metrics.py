"""The metrics of two commits, number by number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dvc_bucket.dvc.snapshot import leaves, overlap
from dvc_bucket.jobs.report.commit_views import ReportedCommit


@dataclass(frozen=True)
class Metric:
    """A value in a file of metrics, before or after.

    Attributes:
        file: path from the project's root.
        name: with its sections: `auc.logistic`.
        before: None if there was none.
        after: None if there is none.
    """

    file: str
    name: str
    before: Any
    after: Any

    @property
    def has_changed(self) -> bool:
        """Whether the value differs. NaN equals NaN."""
        return repr(self.before) != repr(self.after) and bool(self.before != self.after)


@dataclass(frozen=True)
class Unread:
    """A file of a commit that cannot be compared.

    Attributes:
        file: path from the project's root.
        side: before or after.
        why: not at hand, or not readable.
    """

    file: str
    side: str
    why: str


def compare(base: ReportedCommit, head: ReportedCommit) -> tuple[list[Metric], list[Unread]]:
    """The metrics in the order of their files, and the files that cannot be compared."""
    before, after = _contents(base), _contents(head)
    unread = [*unread_files(before, base), *unread_files(after, head)]
    skipped = {file.file for file in unread}
    metrics = []
    for path in dict.fromkeys([*before, *after]):
        was, now = _values(before.get(path)), _values(after.get(path))
        if path not in skipped:
            names = dict.fromkeys([*was, *now])
            metrics += [Metric(path, name, was.get(name), now.get(name)) for name in names]
    return metrics, unread


def unread_files(contents: Mapping[str, Any], commit: ReportedCommit) -> list[Unread]:
    """The files that DVC could not read; those that the commit does not have are left out.

    Args:
        contents: by path; an exception for a file that DVC could not read.
        commit: of the files.
    """
    recorded = [path for path, out in commit.snapshot.outs.items() if out.hash]
    unread = []
    for path in (path for path, content in contents.items() if isinstance(content, Exception)):
        if path in commit.revision.files:
            unread.append(Unread(path, commit.side, "not readable"))
        elif any(overlap(path, out) for out in recorded):
            unread.append(Unread(path, commit.side, "not at hand"))
    return unread


def _contents(commit: ReportedCommit) -> dict[str, Any]:
    """The metrics by file; an exception for a file that cannot be read."""
    if "error" in commit.metrics:
        return dict.fromkeys(commit.shown, commit.metrics["error"])
    files = commit.metrics["data"].items()
    return {path: file.get("error") or file["data"] for path, file in files}


def _values(content: Any) -> dict[str, Any]:
    if content is None or isinstance(content, Exception):
        return {}
    return dict(leaves(content)) if isinstance(content, Mapping) else {"": content}
