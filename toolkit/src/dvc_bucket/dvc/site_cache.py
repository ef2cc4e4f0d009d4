"""The folder of DVC's own databases: private before DVC starts, or DVC does not start."""

import hashlib
import os
import tempfile
from pathlib import Path

from dvc_bucket.base.errors import UnsafePathError
from dvc_bucket.base.files import is_writable, private_folder
from dvc_bucket.base.paths import Project

#: DVC's name for it. DVC prefers it to `core.site_cache_dir`.
VARIABLE = "DVC_SITE_CACHE_DIR"


def site_cache(project: Project) -> str:
    """The folder that the environment names, or the clone's own, for its owner alone.

    DVC makes it for every user of the machine, and unpickles what it finds there: who can write
    into it runs code as us. DVC's default is one folder for all users, which also fails where
    another user made it.

    Raises:
        UnsafePathError: it exists, and other users own it or can enter it.
    """
    folder = Path(os.environ.get(VARIABLE) or _default(project))
    try:
        return str(private_folder(folder))
    except UnsafePathError as error:
        raise UnsafePathError(
            f"{error} DVC would run code from it. It is only a cache and can be deleted: rm -r "
            f"'{folder}'"
        ) from None


def _default(project: Project) -> Path:
    """In the clone; for one that cannot be written, among the temporary files of this user."""
    folder: Path = project.dvc_site_cache
    if is_writable(folder.parent):
        return folder
    name = hashlib.sha256(os.fsencode(project.root)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"dvc-bucket-{os.geteuid()}-{name}"
