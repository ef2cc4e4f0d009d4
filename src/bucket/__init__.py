"""The object store made easy: settings, an embedded store, verified transfers, DVC with words."""

from typing import TYPE_CHECKING, Any

from bucket.errors import BucketError
from bucket.paths import Project
from bucket.settings import Settings
from bucket.transfer import download, file_sha256, stored_sha256, upload, usage

if TYPE_CHECKING:
    from bucket.dataset import Table, open_dataset, open_file
    from bucket.staging import stage

__all__ = [
    "BucketError",
    "Project",
    "Settings",
    "Table",
    "download",
    "file_sha256",
    "open_dataset",
    "open_file",
    "stage",
    "stored_sha256",
    "upload",
    "usage",
]

#: What is imported when it is first asked for: pyarrow takes longer than most commands.
_LATER = {
    "Table": "bucket.dataset",
    "open_dataset": "bucket.dataset",
    "open_file": "bucket.dataset",
    "stage": "bucket.staging",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)
