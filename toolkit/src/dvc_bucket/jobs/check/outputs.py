"""The files of outputs in a clone: removed before a run, named by their contents after it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from dvc_bucket.base.paths import Project
from dvc_bucket.dvc.remote import ids
from dvc_bucket.dvc.remote.ids import file_hash
from dvc_bucket.dvc.snapshot import Stage
from dvc_bucket.jobs.check.clone import target

#: Where the only file of an output is that is no directory.
ITSELF = "."


def clear(clone: Project, stages: Sequence[Stage]) -> None:
    """Remove the outputs of stages from a clone, as far as git or an earlier run brought them.

    Raises:
        CheckError: an output is outside the clone.
    """
    for stage in stages:
        for path in [target(clone, out.path, stage.name) for out in stage.outs]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def object_names(place: Path, *, is_legacy: bool = False) -> dict[str, bytes]:
    """The names of the objects that have the contents of a file or of the files of a directory.

    Args:
        place: the file or directory; nothing need be there.
        is_legacy: name them as DVC did before version 3: by the hash of text with Unix line ends.

    Returns:
        By path in the directory; a file is at `ITSELF`.
    """
    kind = ids.encode("0" * 32, legacy=is_legacy)
    return {
        file.relative_to(place).as_posix(): ids.encode(file_hash(file, kind), legacy=is_legacy)
        for file in sorted((place, *place.rglob("*")))
        if file.is_file()
    }
