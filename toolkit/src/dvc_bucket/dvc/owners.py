"""Which files git or DVC tracks, for commands that must never replace one of them."""

import os
from collections.abc import Iterable
from pathlib import Path

from dvc_bucket.base.errors import ProjectError
from dvc_bucket.base.paths import Project
from dvc_bucket.git.contents import ended

#: What git says of a folder that only looks like a repository.
NO_REPOSITORY = b"not a git repository"


def tracked(paths: Iterable[Path]) -> dict[Path, str]:
    """The paths that are tracked, or hold something that is, each with `git` or `DVC`.

    Raises:
        ProjectError: git or DVC cannot tell.
    """
    wanted = {_place(path): path for path in paths}
    owners = {"DVC": _dvc_outputs(wanted), "git": _git_files(wanted)}
    owner_of: dict[Path, str] = {}
    for owner, owned in owners.items():
        holders = {folder for path in owned for folder in path.parents}
        for place, path in wanted.items():
            if place in holders or not owned.isdisjoint((place, *place.parents)):
                owner_of.setdefault(path, owner)
    return owner_of


def is_committed(path: Path) -> bool:
    """Whether git tracks a file, and the last commit has its content."""
    place = _place(path)
    if place not in _git_files([place]):
        return False
    # The content is hashed: `git diff` does not look at files with a flag such as skip-worktree.
    last = ended(place.parent, "rev-parse", "--verify", f"HEAD:./{place.name}")
    now = ended(place.parent, "hash-object", "--", place.name)
    return now.returncode == last.returncode == 0 and now.stdout == last.stdout


def _place(path: Path) -> Path:
    """A path without links in its folders."""
    return path.parent.resolve() / path.name


def _git_files(paths: Iterable[Path]) -> set[Path]:
    """All files that git tracks in the repositories around some paths."""
    files: set[Path] = set()
    for root in _roots((path.parent for path in paths), ".git"):
        done = ended(root, "ls-files", "-z", "--", ":/")
        if done.returncode == 0:
            names = filter(None, done.stdout.split(b"\0"))
            files.update(root / os.fsdecode(name) for name in names)
        elif NO_REPOSITORY not in done.stderr:
            said = done.stderr.decode(errors="replace").strip()
            raise ProjectError(f"git cannot list the files that it tracks in {root}: {said}")
    return files


def _dvc_outputs(paths: Iterable[Path]) -> set[Path]:
    """All outputs on this machine of the DVC projects around some paths and here."""
    from dvc_bucket.dvc.remote.outputs import opened, outputs

    places: set[Path] = set()
    for root in _roots((*(path.parent for path in paths), Path.cwd()), ".dvc/config"):
        with opened(Project(root)) as repo:
            outs = [Path(out.fs_path) for _, out in outputs(repo) if out.protocol == "local"]
        places.update(_place(out) for out in outs)
    return places


def _roots(places: Iterable[Path], mark: str) -> set[Path]:
    """The nearest folder from each place upwards that has a file or folder of a name."""
    nearest = (
        next((folder for folder in (place, *place.parents) if (folder / mark).exists()), None)
        for place in set(places)
    )
    return {root for root in nearest if root}
