"""`bucket clean`: removes data from the workspace that is certain to come back.

An output of a stage goes if its content is what `dvc.lock` records and lies in the cache or in the
bucket. What `dvc add` tracks goes only if the bucket holds it. Everything else stays.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.files import readable_size
from dvc_bucket.base.paths import Project
from dvc_bucket.base.words import counted, shortened
from dvc_bucket.dvc.audit.cache import LocalCache
from dvc_bucket.dvc.patched.locks import BusyError, locked
from dvc_bucket.dvc.remote.outputs import absence, opened, outputs
from dvc_bucket.git.contents import ended
from dvc_bucket.jobs.clean.candidates import LOOK, Bucket, Candidate, Finder

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output

#: Why data stays; that which `dvc add` tracks has to be in the bucket.
NOT_PROVEN = {
    True: "`dvc add` tracks it, but its content is not proven to be in the bucket",
    False: "its content is not proven to be in the cache or in the bucket",
}

#: Lines of what stays that are shown.
MAX_LISTED_FILES = 20


@dataclass
class Cleaned:
    """The result.

    Attributes:
        files: how many were removed.
        size: bytes of them.
        kept: by path from the project's root, why it stays.
        notes: more sentences for the person.
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
    done, bucket = Cleaned(), Bucket(project)
    with opened(project) as repo, tempfile.TemporaryDirectory(prefix="bucket-clean-") as spool:
        tracked = outputs(repo)
        here = [(dataset, out) for dataset, out in tracked if _is_here(dataset, out, done)]
        cache = LocalCache(project, Path(repo.cache.legacy.path))
        finder = Finder(cache, bucket, Path(spool))
        try:
            with locked(repo, "bucket clean", [out.fs_path for _, out in here]):
                results = {dataset: finder.candidate(dataset, out) for dataset, out in here}
                done.kept |= {path: why for path, why in results.items() if isinstance(why, str)}
                candidates = [
                    result for result in results.values() if isinstance(result, Candidate)
                ]
                _remove(project, candidates, cache, bucket, done)
        except BusyError as busy:
            raise ProjectError(f"Nothing was removed: {busy} Wait for the other command.") from None
        done.notes = bucket.notes
        _note_untracked(project, {str(Path(dataset).parent) for dataset, _ in tracked}, done)
    return done


def describe(done: Cleaned) -> str:
    """The result in a few plain lines."""
    removed = counted(done.files, "file")
    lines = [f"Removed {removed} ({readable_size(done.size)}). `bucket pull` restores them."]
    if done.kept:
        kept = [f"  {path}: {why}" for path, why in sorted(done.kept.items())]
        lines += ["Kept:", *shortened(kept, MAX_LISTED_FILES)]
    return "\n".join([*lines, *done.notes])


def _is_here(dataset: str, out: "Output", done: Cleaned) -> bool:
    """Whether an output is in the workspace, and DVC's to bring back."""
    if out.protocol != "local" or not os.path.lexists(out.fs_path) or not out.use_cache:
        return False
    is_outside = Path(dataset).is_absolute() or dataset.startswith("../")
    if why := "outside the project" if is_outside else absence(out):
        done.kept[dataset] = why
    return not why


def _remove(
    project: Project,
    candidates: Sequence[Candidate],
    cache: LocalCache,
    bucket: Bucket,
    done: Cleaned,
) -> None:
    """Remove the outputs whose objects are proven to be somewhere else."""
    cached = cache.sound(
        {name for output in candidates if not output.is_added for name in output.objects}
    )
    unproven = [output.objects - (set() if output.is_added else cached) for output in candidates]
    asked: dict[str | None, set[bytes]] = defaultdict(set)
    for output, names in zip(candidates, unproven, strict=True):
        asked[output.remote] |= names
    there = {remote: bucket.proven(remote, names) for remote, names in asked.items()}
    for output, names in zip(candidates, unproven, strict=True):
        if names <= there[output.remote]:
            _remove_files(project, output, done)
        else:
            done.kept[output.dataset] = NOT_PROVEN[output.is_added]


def _remove_files(project: Project, output: Candidate, done: Cleaned) -> None:
    """Remove the recorded files of an output, and the folders that are empty then."""
    for file, before in output.files.items():
        if LOOK(file.lstat()) != LOOK(before):
            done.kept[file.relative_to(project.root).as_posix()] = "changed in the meantime"
            continue
        file.unlink()
        done.files += 1
        done.size += before.st_size
    for file in output.extra:
        path = file.relative_to(project.root).as_posix()
        done.kept[path] = f"not recorded as part of {output.path.name}"
    _remove_empty(output.path, project.root)


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
    listed = ended(project.root, "ls-files", *options, "--", *below).stdout
    for name in filter(None, os.fsdecode(listed).split("\0")):
        path = Path(name)
        if path.name != ".gitignore" and not any(
            path in (kept, *kept.parents) or kept in path.parents for kept in map(Path, done.kept)
        ):
            done.kept[path.as_posix()] = "DVC does not track it"
