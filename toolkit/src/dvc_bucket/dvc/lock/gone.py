"""Entries of `dvc.lock` whose stage `dvc.yaml` no longer has: DVC itself keeps them for ever."""

from collections.abc import Sequence
from pathlib import Path

from dvc_bucket.base.files import write_whole
from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.lock import entries
from dvc_bucket.dvc.patched.locks import locked
from dvc_bucket.dvc.remote.outputs import opened
from dvc_bucket.dvc.snapshot import Snapshot


def drop(project: Project) -> dict[str, Sequence[str]]:
    """Remove these entries from every lock file of the project.

    Returns:
        The names that were removed, by path of the lock file from the project's root.

    Raises:
        ProjectError: DVC cannot read the project, or another command works on it.
        LockError: a lock file cannot be read.
    """
    with opened(project) as repo:
        gone = Snapshot.at(repo).gone
        for path, names in gone.items():
            with locked(repo, "bucket repro", [str(project.root / path)]):
                _remove(project.root / path, names)
    return dict(gone)


def _remove(file: Path, names: Sequence[str]) -> None:
    lock = entries.read(file.read_text(encoding="utf-8"), file.name)
    for name in names:
        lock["stages"].pop(name, None)
    write_whole(file, entries.write(lock))
