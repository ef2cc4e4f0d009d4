"""`bucket ls`, `cat` and `cp`: what the command line does with data that DVC tracks."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from dvc_bucket.base.errors import NotTrackedError, SettingsError
from dvc_bucket.base.paths import Project
from dvc_bucket.base.progress import bar, silent
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.remote import ids
from dvc_bucket.read import bringing, content, copying, tracked, versions
from dvc_bucket.read.bringing import Copied
from dvc_bucket.read.proof import Proof

#: The variable that names a file with `Wanted` objects.
CONFIG_FILE = "OS_CONFIG_FILE"


class Wanted(BaseModel):
    """An object that a configuration file asks for, and where it is to be."""

    model_config = ConfigDict(extra="forbid", strict=True)

    bucket_name: str
    object_key: str
    local_path: str


def from_here(path: str) -> str:
    """A path as a person types it, from the current folder, as one from the project's root."""
    return tracked.inside(Project.find(), Path.cwd() / path)


def ls(
    path: str, rev: str | None, remote: str | None, *, with_sizes: bool
) -> list[dict[str, object]]:
    """The files that DVC tracks at or below a path: path, MD5, and size if asked for.

    Raises:
        BucketError: as `tracked.find` and `versions.sizes`.
    """
    found = tracked.find(path, rev, remote)
    sizes = versions.sizes(found) if with_sizes else {}
    return [
        {"path": file.path, "md5": ids.md5(file.name), "size": sizes.get(file.path, file.size)}
        for file in found.files
    ]


def cat(path: str, rev: str | None, remote: str | None, to: BinaryIO) -> None:
    """Write the bytes of a file that DVC tracks, as recorded, from the cache or the remote.

    Raises:
        ChecksumError: they are not what DVC recorded; all but the last piece may be written by
            then.
        BucketError: as `tracked.find`.
    """
    found = tracked.find(path, rev, remote)
    if [file.path for file in found.files] != [found.path]:
        raise NotTrackedError(
            f"{path} is a directory of {len(found.files):,} files. Name one: `bucket ls {path}`."
        )
    [file] = found.files
    if found.cached(file).is_file():
        recorded = content.cached(found, file)
    else:
        version = versions.look_up(found)[file.path]
        Proof(found).check(file, version)
        recorded = content.on_remote(found, file, version)
    for piece in recorded.pieces():
        to.write(piece)


def cp(
    sources: Sequence[str],
    to: str | None,
    rev: str | None,
    remote: str | None,
    *,
    parents: bool,
    force: bool,
) -> Copied:
    """Copy data, with a progress bar on a terminal; paths are from the current folder.

    Raises:
        BucketError: as `copying.copy_to`.
    """
    here = [one if one.startswith(copying.S3) else str(Path.cwd() / one) for one in sources]
    with bar() as progress:
        return copying.copy_to(
            here, to, rev=rev, remote=remote, parents=parents, force=force, progress=progress
        )


def fetch_configured(*, force: bool) -> list[Path]:
    """Fetch what the file that $OS_CONFIG_FILE names asks for; the files.

    The file is JSON: `{"bucket_name": ..., "object_key": ..., "local_path": ...}`, or a list of
    these. A relative `local_path` is one from the current folder.

    Raises:
        SettingsError: there is no such variable or file, or the file says something else.
        OutputError: a file with other content is there.
        TransferError: the store refused or could not be reached, or has no such object.
    """
    settings = Settings.load()
    fetched = []
    for wanted in _wanted(os.environ.get(CONFIG_FILE, "")):
        there = settings.model_copy(update={"bucket_name": wanted.bucket_name})
        path = Path(wanted.local_path)
        item = copying.object_at(wanted.object_key, path.absolute(), there)
        bringing.bring(item.target.parent, [item], silent, force=force)
        fetched.append(path)
    return fetched


def _wanted(name: str) -> list[Wanted]:
    if not name:
        raise SettingsError(
            f"Nothing to copy: name PATH and DEST, as `bucket cp data/raw /scratch/me`, or have "
            f"{CONFIG_FILE} name a JSON file with bucket_name, object_key and local_path."
        )
    try:
        content = json.loads(Path(name).read_text(encoding="utf-8"))
        several = content if isinstance(content, list) else [content]
        return TypeAdapter(list[Wanted]).validate_python(several)
    except OSError as error:
        raise SettingsError(f"{CONFIG_FILE} is {name}: {error.strerror}.") from None
    except (ValueError, ValidationError) as error:
        faults = error.errors() if isinstance(error, ValidationError) else []
        what = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in faults)
        raise SettingsError(
            f"{CONFIG_FILE} is {name}, which is not JSON with bucket_name, object_key and "
            f"local_path: {what or error}."
        ) from None
