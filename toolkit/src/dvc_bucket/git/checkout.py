"""A commit in a new folder: a repository of its own that reads the objects of another one.

No transport of git is used, so no setting for clones, remotes, protocols or URLs of a person can
refuse it or change what comes out.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dvc_bucket.base.paths import Project
from dvc_bucket.git import partial
from dvc_bucket.git.contents import Repository, ended, git

#: For these commands alone: nobody's hooks, attributes or programs, and the line ends of git.
PLAIN = tuple(
    word
    for setting in (
        *("core.hooksPath=/dev/null", "core.attributesFile=/dev/null", "core.autocrlf=false"),
        *("core.eol=lf", "submodule.recurse=false", "advice.detachedHead=false"),
    )
    for word in ("-c", setting)
)

#: Variables that tell git of another repository, as in a hook; none of these commands gets them.
#: Source: `git rev-parse --local-env-vars`.
OF_ANOTHER = dict.fromkeys(
    ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
)


def check_out(repository: Repository, commit: str, target: Path, **variables: str) -> None:
    """Put a commit into a folder, with the submodules that are here.

    Tags come along, no branch and no remote.

    Args:
        repository: that has the commit.
        commit: full id.
        target: the folder; empty, or not there.
        variables: of the environment of git.

    Raises:
        PartialCloneError: this clone lacks a part of the commit, which cannot be fetched.
        ProjectError: git refuses, or the disk does.
    """
    partial.complete(repository.root, [commit])
    own: dict[str, Any] = {**OF_ANOTHER, **variables}
    kind = git(repository.root, "rev-parse", "--show-object-format").decode().strip()
    target.mkdir(parents=True, exist_ok=True)
    git(target, *PLAIN, "init", "--quiet", "--template=", f"--object-format={kind}", **own)
    inside = target / ".git"
    (inside / "objects/info").mkdir(exist_ok=True)
    objects = os.fsencode(repository.git_dir / "objects")
    (inside / "objects/info/alternates").write_bytes(objects + b"\n")
    if repository.is_shallow:
        (inside / "shallow").write_bytes((repository.git_dir / "shallow").read_bytes())
    form = "--format=create %(refname) %(objectname)"
    tags = git(repository.root, "for-each-ref", form, "refs/tags")
    git(target, "update-ref", "--stdin", stdin=tags, **own)
    git(target, *PLAIN, "checkout", "--quiet", "--detach", commit, **own)
    for entry in repository.links(commit):
        place = repository.root / entry.path
        is_here = (place / ".git").exists()
        if is_here and not ended(place, "cat-file", "-e", f"{entry.id}^{{commit}}").returncode:
            check_out(Repository.of(Project(place)), entry.id, target / entry.path, **variables)


def empty_submodules(root: Path) -> Iterator[str]:
    """Paths of the submodules that `check_out` left empty in a folder, as they are not here."""
    for entry in Repository.of(Project(root)).links("HEAD"):
        if not (root / entry.path / ".git").exists():
            yield entry.path
        else:
            yield from (f"{entry.path}/{path}" for path in empty_submodules(root / entry.path))
