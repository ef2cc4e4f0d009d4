"""What `dvc.lock` holds: of each stage its command, what it read and what it wrote, with hashes.

The format is DVC's, schema 2.0: https://dvc.org/doc/user-guide/project-structure/dvcyaml-files
"""

from collections.abc import Mapping
from typing import Any

from dvc_bucket.base.errors import LockError
from dvc_bucket.dvc.patched import yaml

#: The file's name, wherever in the project it is.
NAME = "dvc.lock"

#: The only schema that DVC has written since version 2.
SCHEMA = "2.0"

#: What to do with a lock file that cannot be read.
REMEDY = (
    "Restore a version that DVC wrote (`git checkout REVISION -- FILE`), then run `bucket repro`."
)

Lock = dict[str, Any]
Entry = Mapping[str, Any]


def read(text: str, name: str = NAME) -> Lock:
    """The content of a lock file; of an empty one, no stages.

    Raises:
        LockError: it is no lock file, as when the marks of a merge conflict are in it.
    """
    try:
        lock = yaml.loaded(text)
    except yaml.NotYamlError as error:
        raise LockError(f"{name}{error} {REMEDY}") from None
    if lock is None:
        return {}
    if not isinstance(lock, dict) or str(lock.get("schema")) != SCHEMA:
        raise LockError(f"{name} has no `schema: '{SCHEMA}'`. {REMEDY}")
    if not yaml.is_lock_file(lock):
        raise LockError(f"{name}: `stages` does not have the form that DVC writes. {REMEDY}")
    return lock


def write(lock: Lock) -> str:
    """The text of a lock file, as DVC formats it."""
    return yaml.dumped(lock)


def stages(lock: Lock) -> Mapping[str, Entry]:
    """What was noted of each stage, by its name, in the order of the file."""
    found: Mapping[str, Entry] = lock.get("stages") or {}
    return found


def paths(entry: Entry | None, kind: str) -> dict[str, Entry]:
    """What a stage read (`deps`) or wrote (`outs`), by path."""
    return {item["path"]: item for item in (entry or {}).get(kind) or ()}


def hash_of(item: Entry) -> str:
    """The hash of a file or directory as DVC noted it; empty where it noted none."""
    named = item.get("hash", "md5")
    return str(item.get(named) or item.get("etag") or item.get("checksum") or "")
