"""`bucket clean`: removes data from the workspace that is certain to come back.

An output of a stage goes if its content is what `dvc.lock` records and lies in the cache or in the
bucket. What `dvc add` tracks goes only if the bucket holds it. Everything else stays.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import readable_size
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted
from dvc_bucket.dvc.audit.cache import LocalCache
from dvc_bucket.dvc.patched.locks import BusyError, locked
from dvc_bucket.dvc.remote.outputs import absence, opened, outputs
from dvc_bucket.git.contents import ended
from dvc_bucket.jobs.clean.candidates import Candidate, candidate
from dvc_bucket.jobs.clean.elsewhere import Bucket, FolderLists

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output, Repo

#: Lines of what stays that are shown.
MAX_LISTED_FILES = 20


@dataclass
class Cleaned:
    """What was done.

    Attributes:
        files: how many were removed.
        size: bytes of them.
        kept: by path from the project's root, why it stays.
        notes: what else there is to know.
    """

    files: int = 0
    size: int = 0
    kept: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def clean(project: Project) -> Cleaned:
    """Remove the outputs that are certain to come back, and say what stays and why.

    Raises:
        ProjectError: DVC cannot read the project, or another DVC command works on its data.
    """
    done = Cleaned()
    with opened(project) as repo, tempfile.TemporaryDirectory(prefix="bucket-clean-") as spool:
        tracked = outputs(repo)
        found = [(dataset, out) for dataset, out in tracked if _is_here(dataset, out, done)]
        with _alone(repo, [out.fs_path for _, out in found]):
            bucket, folder = Bucket(project), Path(repo.cache.legacy.path)
            lists, cache = FolderLists(folder, bucket, Path(spool)), LocalCache(project, folder)
            candidates = []
            for dataset, out in found:
                one = candidate(dataset, out, cache, lists)
                if isinstance(one, str):
                    done.kept[dataset] = one
                else:
                    candidates.append(one)
            safe = _safe(candidates, cache, bucket)
            for one in candidates:
                _settle(project, one, one.objects - safe[one.dataset], done)
        done.notes = bucket.notes
        _note_untracked(project, {str(Path(dataset).parent) for dataset, _ in tracked}, done)
    return done


def describe(done: Cleaned) -> str:
    """What was done, in a few plain lines."""
    removed = counted(done.files, "file")
    lines = [f"Removed {removed} ({readable_size(done.size)}). `bucket pull` brings them back."]
    if done.kept:
        lines.append("Kept:")
        shown = sorted(done.kept.items())[:MAX_LISTED_FILES]
        lines += [f"  {path}: {why}" for path, why in shown]
        if len(done.kept) > MAX_LISTED_FILES:
            lines.append(f"  and {len(done.kept) - MAX_LISTED_FILES:,} more")
    return "\n".join([*lines, *done.notes])


def _is_here(dataset: str, out: "Output", done: Cleaned) -> bool:
    """Whether an output is in the workspace, and DVC's to bring back."""
    if out.protocol != "local" or not os.path.lexists(out.fs_path) or not out.use_cache:
        return False
    if Path(dataset).is_absolute() or dataset.startswith("../"):
        done.kept[dataset] = "outside the project"
        return False
    if why := absence(out):
        done.kept[dataset] = why
        return False
    return True


@contextmanager
def _alone(repo: "Repo", paths: Iterable[str]) -> Iterator[None]:
    """Nobody else works on these paths meanwhile.

    Raises:
        ProjectError: a stage runs that reads or writes one of them.
    """
    try:
        with locked(repo, "bucket clean", paths):
            yield
    except BusyError as busy:
        raise ProjectError(f"Nothing was removed: {busy} Wait for the other command.") from None


def _safe(
    candidates: Iterable[Candidate], cache: LocalCache, bucket: Bucket
) -> dict[str, set[bytes]]:
    """By output, its objects that are somewhere else for certain: in the cache or in the bucket."""
    made = {name for one in candidates if not one.is_added for name in one.objects}
    cached = cache.sound(made)
    asked: dict[str | None, set[bytes]] = defaultdict(set)
    for one in candidates:
        asked[one.remote] |= one.objects if one.is_added else one.objects - cached
    there = {name: bucket.proven(name, objects) for name, objects in asked.items()}
    return {
        one.dataset: there[one.remote] | (set() if one.is_added else cached) for one in candidates
    }


def _settle(project: Project, one: Candidate, lost: set[bytes], done: Cleaned) -> None:
    """Remove an output, or keep it because some of its objects are nowhere else."""
    if lost:
        where = "in the bucket" if one.is_added else "in the cache or in the bucket"
        tracked = "`dvc add` tracks it, and its" if one.is_added else "its"
        done.kept[one.dataset] = f"{tracked} content is not proven to be {where}"
        return
    for file, before in one.files.items():
        now = file.lstat()
        if (now.st_ino, now.st_size, now.st_mtime_ns) != (
            before.st_ino,
            before.st_size,
            before.st_mtime_ns,
        ):
            done.kept[file.relative_to(project.root).as_posix()] = "changed in the meantime"
            continue
        file.unlink()
        done.files += 1
        done.size += before.st_size
    for file in one.extra:
        done.kept[file.relative_to(project.root).as_posix()] = (
            f"not recorded as part of {one.path.name}"
        )
    _remove_empty(one.path, project.root)


def _remove_empty(path: Path, root: Path) -> None:
    """Remove a folder's empty folders, and it and those above it that are empty then."""
    if path.is_dir() and not path.is_symlink():
        for folder, _, _ in os.walk(path, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
    for parent in path.parents:
        if parent == root or not parent.is_relative_to(root):
            return
        with suppress(OSError):
            parent.rmdir()


def _note_untracked(project: Project, folders: set[str], done: Cleaned) -> None:
    """Name what lies beside the outputs and neither git nor DVC tracks."""
    inside = {name for name in folders if name != "." and not name.startswith(("/", ".."))}
    below = [name for name in sorted(inside) if (project.root / name).is_dir()]
    if not below:
        return
    options = ("--others", "--directory", "--no-empty-directory", "-z")
    said = ended(project.root, "ls-files", *options, "--", *below)
    for name in filter(None, os.fsdecode(said.stdout).split("\0")):
        path = Path(name)
        if path.name != ".gitignore" and not any(
            path in (one, *one.parents) or one in path.parents for one in map(Path, done.kept)
        ):
            done.kept[path.as_posix()] = "DVC does not track it"
