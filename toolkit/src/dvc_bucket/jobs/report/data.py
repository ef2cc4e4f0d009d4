"""What a change did to data that DVC tracks: files, bytes, rows."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pyarrow as pa

from dvc_bucket.base.errors import BucketError
from dvc_bucket.dvc.commit_view import CommitView
from dvc_bucket.dvc.remote import Contents, ids
from dvc_bucket.dvc.snapshot import PathRecord
from dvc_bucket.read import dataset, sources

#: Files whose rows are counted: of Parquet by the footer alone, ...
FOOTER = (".parquet", ".pq")

#: ... of text as a whole, if it is not larger than this, in bytes.
TEXT = (".csv",)
TEXT_BYTES = 64 * 1024 * 1024

#: Of a directory with more tables than this no rows are counted: each is a request or two.
TABLES = 1000

#: Tables whose rows are counted at once.
THREADS = 16

#: Why there is no number.
NOT_AT_HAND, NOT_COUNTED, UNREADABLE = "not at hand", "not counted", "not readable"

#: Rows, or why they are not known; None of what is no table.
Rows = int | str | None


@dataclass(frozen=True)
class Files:
    """What became of the files of a directory, by path in it."""

    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    changed: Sequence[str] = ()


@dataclass(frozen=True)
class Dataset:
    """A file or directory that is not what it was.

    Attributes:
        path: from the project's root.
        before: what DVC noted of it; None where it was not tracked.
        after: the same of the other commit.
        files: of a directory; None where a list of files is not at hand, or it is a file.
        rows: before and after.
    """

    path: str
    before: PathRecord | None
    after: PathRecord | None
    files: Files | None
    rows: tuple[Rows, Rows]

    @property
    def is_directory(self) -> bool:
        """Whether it is one, before or after."""
        return any(out and out.is_directory for out in (self.before, self.after))


def changes(base: CommitView, head: CommitView, contents: Contents) -> tuple[list[Dataset], int]:
    """The data that differs, by path, and how much does not."""
    was, now = _tracked(base), _tracked(head)
    both = sorted(was.keys() | now.keys())
    differing = [path for path in both if not _is_same(was.get(path), now.get(path))]
    counter = _Counter(contents)
    found = [counter.dataset(path, was.get(path), now.get(path)) for path in differing]
    return found, len(both) - len(found)


def _tracked(side: CommitView) -> dict[str, PathRecord]:
    return {path: out for path, out in side.snapshot.outs.items() if out.is_cached and out.hash}


def _is_same(before: PathRecord | None, after: PathRecord | None) -> bool:
    return bool(before and after and before.hash == after.hash)


@dataclass
class _Counter:
    """Counts rows, those of a content once."""

    contents: Contents
    known: dict[bytes, Rows] = field(default_factory=dict)

    def dataset(self, path: str, before: PathRecord | None, after: PathRecord | None) -> Dataset:
        was, now = self._members(path, before), self._members(path, after)
        return Dataset(
            path=path,
            before=before,
            after=after,
            files=None if was is None or now is None else _files(was, now, path),
            rows=(self._rows(was, before), self._rows(now, after)),
        )

    def _members(self, path: str, out: PathRecord | None) -> Mapping[str, bytes] | None:
        """Its files with the names of their objects, by path; None if they cannot be known."""
        if out is None:
            return {}
        if out.object_name is None:
            return None
        if not ids.is_list(out.object_name):
            return {path: out.object_name}
        found = self.contents.members(out.object_name)
        return found and {f"{path}/{name}": member for name, member in found.items()}

    def _rows(self, members: Mapping[str, bytes] | None, out: PathRecord | None) -> Rows:
        if out is None:
            return None
        if members is None:
            return NOT_AT_HAND
        tables = {path: name for path, name in members.items() if _end(path) in (*FOOTER, *TEXT)}
        if len(tables) > TABLES:
            return NOT_COUNTED
        size = (out.size or 0) // max(len(members), 1)
        new = {name: path for path, name in tables.items() if name not in self.known}
        with ThreadPoolExecutor(THREADS) as pool:
            counted = pool.map(lambda name: self._count(new[name], name, size), new)
            self.known.update(zip(new, counted, strict=True))
        rows = [self.known[name] for name in tables.values()]
        unknown = [one for one in rows if isinstance(one, str)]
        if unknown or not rows:
            return unknown[0] if unknown else None
        return sum(one for one in rows if isinstance(one, int))

    def _count(self, path: str, name: bytes, size: int) -> Rows:
        """The rows of a file of a size, in bytes; of one in a directory, the mean size there."""
        if _end(path) in TEXT and size > TEXT_BYTES:
            return NOT_COUNTED
        place = self.contents.place(name)
        if place is None:
            return NOT_AT_HAND
        filesystem, where = place
        source = sources.Source(filesystem, [(path, where, None)])
        try:
            return int(dataset.opened(source, path, None, None).count_rows())
        except OSError:
            return NOT_AT_HAND
        except (pa.ArrowException, BucketError):
            return UNREADABLE


def _files(before: Mapping[str, bytes], after: Mapping[str, bytes], path: str) -> Files:
    """What became of files, by path in the directory."""
    own = f"{path}/"
    return Files(
        added=[name.removeprefix(own) for name in after if name not in before],
        removed=[name.removeprefix(own) for name in before if name not in after],
        changed=[
            name.removeprefix(own) for name in after if before.get(name, after[name]) != after[name]
        ],
    )


def _end(path: str) -> str:
    return PurePosixPath(path).suffix.lower()
