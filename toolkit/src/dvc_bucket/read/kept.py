"""Keeps the list of what DVC tracks in the work tree until a file that declares it changes.

Most reads take less time than importing DVC and reading the project with it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc import looks
from dvc_bucket.dvc.others import Origin
from dvc_bucket.dvc.patched.chosen import is_plain
from dvc_bucket.dvc.remote import ids

if TYPE_CHECKING:
    from dvc_bucket.dvc.patched.types import Output, Repo

#: The name of the answer in its file.
DATASETS = "datasets"


@dataclass(frozen=True)
class Dataset:
    """A file or directory that DVC tracks as one.

    Attributes:
        path: from the project's root.
        name: of its object; empty if it is on no remote.
        size: in bytes, as DVC recorded it; None if it did not.
        file_count: of a directory, as DVC recorded it; None if it did not.
        absence: why it is on no remote, as words that follow "it is"; empty if it can be.
        origin: where it was imported from; its data is on that project's remote.
    """

    path: str
    name: bytes
    size: int | None
    file_count: int | None
    absence: str
    origin: Origin | None = None

    @classmethod
    def of(cls, path: str, out: "Output") -> "Dataset":
        """The dataset of an output of DVC's."""
        from dvc_bucket.dvc.remote.outputs import absence, name_of, origin

        come_from = origin(out) if out.hash_info else None
        why, name, meta = "" if come_from else absence(out), b"", out.meta
        if not why:
            try:
                name = name_of(out)
            except ValueError:
                why = f"recorded with the hash {out.hash_info.value}, which is not an MD5"
        size, count = (meta.size, meta.nfiles) if meta else (None, None)
        return cls(path, name, size, count, why, come_from)

    @property
    def is_directory(self) -> bool:
        """Whether its object is a list of files."""
        return ids.is_list(self.name)


class Tracked(NamedTuple):
    """What is kept.

    Attributes:
        cache: DVC's cache folder.
        datasets: all of them, by path.
    """

    cache: Path
    datasets: Mapping[str, Dataset]


def tracked(project: Project) -> Tracked | None:
    """What DVC tracks in the work tree; None if DVC has to read it."""
    if is_plain():
        return None
    with suppress(ValueError, TypeError):
        cache, *rows = looks.kept(project.tracked, DATASETS)
        found = [Dataset(path, bytes.fromhex(name), *rest) for path, name, *rest in rows]
        return Tracked(Path(cache), {dataset.path: dataset for dataset in found})
    return None


def keep(project: Project, repo: "Repo", found: Tracked, begun: int) -> None:
    """Keep what DVC tracks in the work tree, unless it includes imported data.

    The origin of imported data depends on files outside this project, too.

    Args:
        project: the clone.
        repo: the same, opened.
        found: what DVC tracks.
        begun: when DVC started to read the project, from `looks.now`.
    """
    datasets = found.datasets.values()
    if is_plain() or any(dataset.origin for dataset in datasets):
        return
    outs = {out.fspath for out in repo.index.outs if out.protocol == "local"}
    rows = [(one.path, one.name.hex(), *astuple(one)[2:]) for one in datasets]
    with suppress(OSError):  # a clone that cannot be written
        places = looks.saying(project, repo, outs)
        looks.keep(project.tracked, places, {DATASETS: [str(found.cache), *rows]}, begun)
