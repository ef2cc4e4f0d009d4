"""What a change did to data that DVC tracks: files, bytes, rows."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath

from dvc_bucket.base.errors import BucketError
from dvc_bucket.dvc.remote import Contents
from dvc_bucket.dvc.snapshot import PathRecord
from dvc_bucket.jobs.report.commit_views import ReportedCommit, files_of
from dvc_bucket.jobs.report.differences import Outcome, differences, which

#: Files whose rows are counted: of Parquet by the footer alone, ...
FOOTER = (".parquet", ".pq")

#: ... of text as a whole, if it is not larger than this, in bytes.
TEXT = (".csv",)
MAX_TEXT_BYTES = 64 * 1024 * 1024

#: Rows of a directory with more tables than this are not counted: each is a request or two.
MAX_TABLES = 1000

#: Tables whose rows are counted at once.
THREADS = 16

#: Why there is no number.
NOT_AT_HAND, NOT_COUNTED, UNREADABLE = "not at hand", "not counted", "not readable"

#: Number of rows, or why it is not known; None for data without tables.
Rows = int | str | None

#: Files of a dataset with the names of their objects, by path; None if they cannot be known.
Files = Mapping[str, bytes] | None


@dataclass(frozen=True)
class DatasetChange:
    """A file or directory that differs.

    Attributes:
        path: from the project's root.
        outcome: changed, new or gone.
        records: of DVC, before and after; there is one if the dataset is new or gone.
        rows: likewise.
        files: paths in the directory by what happened to them (changed, added, removed); None if
            they cannot be known.
    """

    path: str
    outcome: Outcome
    records: Sequence[PathRecord]
    rows: Sequence[Rows]
    files: Mapping[str, Sequence[str]] | None

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory, before or after."""
        return any(record.is_directory for record in self.records)


def changes(
    base: ReportedCommit, head: ReportedCommit, contents: Contents
) -> tuple[list[DatasetChange], int]:
    """The datasets that differ, by path, and the number of the others."""
    before, after = _tracked(base), _tracked(head)
    counter = _RowCounter(contents)
    outcomes = differences(before, after)
    changed = []
    for path, outcome in sorted(outcomes.items()):
        if outcome != "same":
            records = [side[path] for side in (before, after) if path in side]
            sides = [_files(record, contents) for record in records]
            rows = [counter.rows(*side) for side in zip(records, sides, strict=True)]
            files = _by_outcome(path, *sides) if outcome == "changed" else {}
            changed.append(DatasetChange(path, outcome, records, rows, files))
    return changed, len(outcomes) - len(changed)


def _tracked(view: ReportedCommit) -> dict[str, PathRecord]:
    return {path: out for path, out in view.snapshot.outs.items() if out.is_cached and out.hash}


def _files(record: PathRecord, contents: Contents) -> Files:
    return files_of(contents, record.path, record.object_name) if record.object_name else None


def _by_outcome(path: str, before: Files, after: Files) -> Mapping[str, Sequence[str]] | None:
    """Paths in a directory by what happened to them."""
    if before is None or after is None:
        return None
    outcomes = differences(before, after)
    words: dict[Outcome, str] = {"changed": "changed", "new": "added", "gone": "removed"}
    names = {
        word: [file.removeprefix(f"{path}/") for file in which(outcomes, outcome)]
        for outcome, word in words.items()
    }
    return {word: files for word, files in names.items() if files}


class _RowCounter:
    """Counts rows, those of each content once."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._counted: dict[bytes, Rows] = {}

    def rows(self, record: PathRecord, files: Files) -> Rows:
        """The rows of all tables of a dataset."""
        if files is None:
            return NOT_AT_HAND
        tables = [path for path in files if _end(path) in (*FOOTER, *TEXT)]
        if len(tables) > MAX_TABLES:
            return NOT_COUNTED
        size = (record.size or 0) // max(len(files), 1)
        with ThreadPoolExecutor(THREADS) as pool:
            counts = list(pool.map(lambda path: self._count(path, files[path], size), tables))
        unknown = next((reason for reason in counts if isinstance(reason, str)), None)
        return unknown or (
            sum(count for count in counts if isinstance(count, int)) if counts else None
        )

    def _count(self, path: str, name: bytes, size: int) -> Rows:
        """The rows of a file of a size in bytes; in a directory, of the mean size there."""
        if name not in self._counted:
            self._counted[name] = self._read(path, name, size)
        return self._counted[name]

    def _read(self, path: str, name: bytes, size: int) -> Rows:
        if _end(path) in TEXT and size > MAX_TEXT_BYTES:
            return NOT_COUNTED
        place = self._contents.place(name)
        if place is None:
            return NOT_AT_HAND
        import pyarrow as pa  # imports pandas: 0.7 s, for a table alone

        from dvc_bucket.read import dataset, sources

        filesystem, where = place
        source = sources.Source(filesystem, [(path, where, None)])
        try:
            return int(dataset.opened(source, path, None, None).count_rows())
        except OSError:
            return NOT_AT_HAND
        except (pa.ArrowException, BucketError):
            return UNREADABLE


def _end(path: str) -> str:
    return PurePosixPath(path).suffix.lower()
