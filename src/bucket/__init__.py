"""The object store made easy: settings, an embedded store, verified transfers, DVC with words."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bucket.copying import copy_to
    from bucket.dataset import open_dataset, open_file
    from bucket.dvc_hashes import dvc_hash
    from bucket.errors import BucketError
    from bucket.kernels import kernel_variables, pin_kernels
    from bucket.packing import pack
    from bucket.paths import Project
    from bucket.samples import Sample, iter_samples
    from bucket.settings import Settings
    from bucket.table import Table
    from bucket.transfer import download, file_sha256, stored_sha256, upload, usage

__all__ = [
    "BucketError",
    "Project",
    "Sample",
    "Settings",
    "Table",
    "copy_to",
    "download",
    "dvc_hash",
    "file_sha256",
    "iter_samples",
    "kernel_variables",
    "open_dataset",
    "open_file",
    "pack",
    "pin_kernels",
    "stored_sha256",
    "upload",
    "usage",
]

#: All is imported when it is first asked for: pyarrow takes longer than most commands, and git-lfs
#: starts eight processes of ours to use one.
_LATER = {
    "BucketError": "bucket.errors",
    "Project": "bucket.paths",
    "Sample": "bucket.samples",
    "Settings": "bucket.settings",
    "Table": "bucket.table",
    "copy_to": "bucket.copying",
    "download": "bucket.transfer",
    "dvc_hash": "bucket.dvc_hashes",
    "file_sha256": "bucket.transfer",
    "kernel_variables": "bucket.kernels",
    "pin_kernels": "bucket.kernels",
    "iter_samples": "bucket.samples",
    "open_dataset": "bucket.dataset",
    "open_file": "bucket.dataset",
    "pack": "bucket.packing",
    "stored_sha256": "bucket.transfer",
    "upload": "bucket.transfer",
    "usage": "bucket.transfer",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)
