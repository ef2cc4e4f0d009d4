"""Writes the crate of a commit: a folder or a zip file, the same bytes for the same commit."""

import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from dvc_bucket.base import safe_paths
from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc import written
from dvc_bucket.dvc.commit_view import CommitView
from dvc_bucket.dvc.lock import entries
from dvc_bucket.git import revision
from dvc_bucket.git.revision import Revision
from dvc_bucket.jobs.provenance import crate, papers, preview
from dvc_bucket.jobs.provenance.facts import Facts, included

METADATA, PREVIEW = "ro-crate-metadata.json", "ro-crate-preview.html"

#: The first year that a zip file knows.
FIRST_YEAR = 1980

PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class WrittenCrate:
    """A crate on this disk.

    Attributes:
        place: the folder or zip file.
        commit: full id of its commit.
        stages: number of stages.
        notes: where the record does not fit the commit, a sentence each.
    """

    place: Path
    commit: str
    stages: int
    notes: Sequence[str]


def write(
    project: Project, rev: str, out: Path, *, as_zip: bool = False, data: Sequence[str] = ()
) -> WrittenCrate:
    """Write the crate of a revision.

    Args:
        project: in a git repository.
        rev: branch, tag or commit.
        out: the folder; an existing one is replaced if `written` has a record of all in it.
        as_zip: write `OUT.zip` instead.
        data: paths that DVC tracks, from the project's root; data at or below them is included.

    Raises:
        RevisionError: there is no such revision.
        OutputError: something else is at `out`.
        UnsafePathError: a path of the commit or of its data leads out of the folder.
        ProjectError: the commit records no run.
        LockError: its lock file is not what DVC writes.
        NotTrackedError, NotPushedError, TransferError: data to include cannot be had.
    """
    place = _zip_beside(out) if as_zip else out
    with revision.opened(project, rev) as commit:
        if as_zip:
            with (
                written.new_file(place, project) as file,
                TemporaryDirectory(prefix=".crate-", dir=place.absolute().parent) as name,
            ):
                facts = _fill(Path(name), project, commit, data)
                _pack(Path(name), file, datetime.fromisoformat(commit.date))
        else:
            with written.new_folder(place, project) as folder:
                facts = _fill(folder, project, commit, data)
        return WrittenCrate(place, commit.commit, len(facts.runs), facts.notes())


def _zip_beside(folder: Path) -> Path:
    """The zip file for a folder, also for `.` and `..`, whose names are not in the path."""
    named = folder if folder.name not in {"", ".."} else folder.resolve()
    return named.with_name(f"{named.name.removesuffix('.zip')}.zip")


def _fill(folder: Path, project: Project, commit: Revision, data: Sequence[str]) -> Facts:
    """Write the crate into an empty folder."""
    view = CommitView.read(project, commit)
    if not view.snapshot.runs:
        raise ProjectError(
            f"{entries.NAME} of the commit {commit.commit[:12]} records no run of a stage. Run "
            "`bucket repro` and commit the file."
        )
    facts = Facts(
        view,
        papers.read(commit, project.root.name),
        included(commit.commit, data, folder),
    )
    _write_files(commit, folder)
    graph = crate.graph_of(facts)
    (folder / PREVIEW).write_text(preview.page(facts), encoding="utf-8", newline="\n")
    graph.write(folder)
    return facts


def _write_files(commit: Revision, folder: Path) -> None:
    """Write the files of the commit, except those of an older crate."""
    for path, file in commit.files.items():
        if path in {METADATA, PREVIEW}:
            continue
        target = safe_paths.below(folder, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(commit.read(path))
        target.chmod(0o755 if file.is_executable else 0o644)


def _pack(folder: Path, out: BinaryIO, date: datetime) -> None:
    """A zip file whose bytes follow from the files: not compressed, as zlib differs."""
    when = max(date.astimezone(UTC), datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)).timetuple()[:6]
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for path in files:
            member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), when)
            mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            member.create_system = 3  # Unix, on whatever system
            member.external_attr = (0o100000 | mode) << 16
            member.file_size = path.stat().st_size
            with path.open("rb") as source, packed.open(member, "w") as target:
                shutil.copyfileobj(source, target, PIECE_BYTES)
