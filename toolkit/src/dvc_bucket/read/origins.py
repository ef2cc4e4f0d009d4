"""Imported data: the files of it, and the remote of the project that it comes from.

`dvc import` notes the repository, the commit and the path. The bytes are on that project's remote,
and on this disk once they were pulled. An import of an import is followed to where the bytes are.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from dvc_bucket.base import project_settings
from dvc_bucket.base.errors import NotTrackedError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import others
from dvc_bucket.dvc.others import Origin
from dvc_bucket.dvc.remote import Lists, Remote
from dvc_bucket.read.tracked import TrackedFile
from dvc_bucket.read.tree import Dataset, Tree

#: Imports of imports that are followed.
MAX_CHAIN = 8

#: Addresses of repositories that another project may lead to; not paths of this disk, or `file:`.
ELSEWHERE = re.compile(r"(?:https?|ssh|git)://|[\w.-]+@[\w.-]+:")


def files(dataset: Dataset, cache: Path) -> Sequence[TrackedFile]:
    """The files of a dataset that was imported.

    Its list comes from this disk if it was pulled, and else from the other project.

    Args:
        dataset: of our own project.
        cache: DVC's cache on this machine.

    Raises:
        BucketError: as `remote`.
    """
    origin = dataset.origin
    if origin is None:
        raise ValueError("it was not imported")
    if not dataset.is_directory:
        return [TrackedFile(dataset.path, dataset.name, dataset.size, origin=origin)]
    with tempfile.TemporaryDirectory(prefix="bucket-lists-") as spool:
        members = Lists(cache, None, Path(spool)).members(dataset.name)
    if members is not None:
        named = [(f"{dataset.path}/{path}", name) for path, name in members]
        return [TrackedFile(path, name, origin=origin) for path, name in named]
    there = _tree(origin).data(origin.path)
    return [
        replace(file, path=dataset.path + file.path[len(origin.path) :], origin=origin)
        for file in there.files
    ]


@cache
def remote(origin: Origin) -> Remote:
    """The remote that has imported data, with the keys that are for it.

    Raises:
        NotTrackedError: the other project has it on no remote, or leads to a path of this disk.
        RevisionError: the repository cannot be cloned, or has not the commit.
        SettingsError: no keys are for that remote.
        ProjectError: it is no DVC project, or its remote is not in S3.
    """
    for _ in range(MAX_CHAIN):
        tree = _tree(origin)
        dataset = tree.around(origin.path)
        if dataset is None:
            raise NotTrackedError(
                f"{origin.path} of {origin} is tracked by git there, or is a folder of several "
                "datasets. Get it with `bucket pull`."
            )
        if dataset.absence:
            raise NotTrackedError(f"{origin.path} of {origin} is {dataset.absence}.")
        if dataset.origin is None:
            return tree.remote
        _refuse_here(dataset.origin, origin)
        origin = dataset.origin
    raise NotTrackedError(f"{origin} follows a chain of more than {MAX_CHAIN} imports.")


@cache
def _tree(origin: Origin) -> Tree:
    return Tree.at(origin.rev or "HEAD", origin.remote, origin.url)


def _refuse_here(origin: Origin, by: Origin) -> None:
    """Refuse a path of this disk to which another project leads, unless our own names it.

    Raises:
        NotTrackedError: it is one.
    """
    here = Project.around()
    listed = project_settings.of(here).sources if here else {}
    if ELSEWHERE.match(origin.url) or any(others.same(one, origin.url) for one in listed):
        return
    raise NotTrackedError(
        f"{by} has imported {by.path} from {origin.url!r}, a path on a disk, which is not "
        f"followed. If you trust it, name it in {project_settings.WHERE[:-1]}.sources]."
    )
