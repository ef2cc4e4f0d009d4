"""`bucket serve --export FILE` and `--import FILE`: the objects of an embedded store in one file.

The file is a tar that any tar reads. Its first member is a description in JSON; each other member
is an object of the bucket, `objects/KEY`. All objects of the bucket are in it: those of DVC and of
Git LFS, and what was published beside them. The same objects give the same bytes.
"""

from dataclasses import dataclass
from pathlib import Path

from dvc_bucket.base.errors import BucketError
from dvc_bucket.base.paths import Project
from dvc_bucket.connection.settings import Settings
from dvc_bucket.dvc.remote import Remote, ids
from dvc_bucket.dvc.remote.ids import is_right
from dvc_bucket.store.server import Server
from dvc_bucket.transfer.errors import naming_failures
from dvc_bucket.transfer.single import file_sha256

#: The first member, the folder of the others, and the version of this layout.
DESCRIPTION, FOLDER, FORMAT = "dvc-bucket.json", "objects/", 1

#: The keyword of a member's header with the SHA-256 that was left with a published object. Other
#: programs ignore it. Source: POSIX, `pax`, "pax Extended Header".
SHA256 = "comment"

#: Objects at a time. Each is a file in the store's folder meanwhile.
AT_ONCE = 8


class ArchiveError(BucketError):
    """`bucket serve --export` did not write the file, or wrote it for another project."""


@dataclass
class Moved:
    """What was moved.

    Attributes:
        objects: how many went to the file, or came from it.
        size: bytes of those.
        there: how many others the store had already.
    """

    objects: int = 0
    size: int = 0
    there: int = 0


def started(project: Project) -> Remote:
    """The remote in the embedded store, which is started if it does not run.

    Raises:
        ServerError: the settings name another store, or it does not start.
        BucketError: the settings or DVC's configuration cannot be used.
    """
    Server(project).start()
    return Remote.of(project, Settings.load(project), None)


def listed(remote: Remote) -> dict[str, tuple[int, str]]:
    """Size and ETag of every object of the bucket, by key.

    Raises:
        TransferError: the store refused or could not be reached.
    """
    with naming_failures(f"list {remote.settings.bucket_name}", remote.settings):
        return {
            item["path"]: (item["size"], str(item["e_tag"] or "").strip('"'))
            for batch in remote.store.list()
            for item in batch
        }


def name_of(remote: Remote, key: str) -> bytes | None:
    """The name of the object of DVC or Git LFS at a key; None for what others published."""
    root = f"{remote.prefix}/" if remote.prefix else ""
    return ids.from_path(key.removeprefix(root)) if key.startswith(root) else None


def is_intact(copy: Path, name: bytes | None, sha256: str | None) -> bool:
    """Whether a copy of an object is what its key, or the SHA-256 that goes with it, promises."""
    if name:
        return is_right(copy, name)
    return sha256 is None or file_sha256(copy) == sha256
