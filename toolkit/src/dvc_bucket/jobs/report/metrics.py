"""The metrics of two commits, number by number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dvc_bucket.dvc.commit_view import CommitView
from dvc_bucket.dvc.snapshot import leaves, overlap


@dataclass(frozen=True)
class Metric:
    """A value that a file of metrics has, before or after.

    Attributes:
        file: path from the project's root.
        name: to the last branch: `auc.logistic`.
        before: None where there was none.
        after: None where there is none.
    """

    file: str
    name: str
    before: Any
    after: Any

    @property
    def has_changed(self) -> bool:
        """Whether it is another value."""
        is_nan = repr(self.before) == repr(self.after)
        return not is_nan and bool(self.before != self.after)


@dataclass(frozen=True)
class Unread:
    """A file that is of a commit and cannot be compared.

    Attributes:
        file: path from the project's root.
        side: before or after.
        why: not at hand, or not readable.
    """

    file: str
    side: str
    why: str


def compare(
    before: Mapping[str, Any], after: Mapping[str, Any], base: CommitView, head: CommitView
) -> tuple[list[Metric], list[Unread]]:
    """The metrics in the order of their files, and the files that cannot be compared.

    Args:
        before: of `shown.metrics`.
        after: the same.
        base: the commit of `before`.
        head: the commit of `after`.
    """
    unread = [
        one
        for title, side, found in (("before", base, before), ("after", head, after))
        for path, value in found.items()
        if isinstance(value, Exception) and (one := why_unread(path, title, side))
    ]
    skipped = {one.file for one in unread}
    metrics = []
    for path in dict.fromkeys([*before, *after]):
        was, now = _values(before, path), _values(after, path)
        if path not in skipped:
            metrics += [
                Metric(path, name, was.get(name), now.get(name))
                for name in dict.fromkeys([*was, *now])
            ]
    return metrics, unread


def why_unread(path: str, title: str, side: CommitView) -> Unread | None:
    """What to say of a file that DVC could not read; nothing where the commit has none there."""
    if path in side.revision.files:
        return Unread(path, title, "not readable")
    if any(overlap(path, one) and out.hash for one, out in side.snapshot.outs.items()):
        return Unread(path, title, "not at hand")
    return None


def _values(found: Mapping[str, Any], path: str) -> dict[str, Any]:
    value = found.get(path)
    if value is None or isinstance(value, Exception):
        return {}
    return dict(leaves(value)) if isinstance(value, Mapping) else {"": value}
