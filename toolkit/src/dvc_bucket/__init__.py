"""The object store made easy: settings, an embedded store, verified transfers, DVC with words."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dvc_bucket.base.errors import BucketError
    from dvc_bucket.base.kernels import kernel_variables, pin_kernels
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc.hashes import dvc_hash
    from dvc_bucket.read.copying import stage
    from dvc_bucket.read.dataset import open_dataset, open_file
    from dvc_bucket.read.packing import pack
    from dvc_bucket.read.samples import Sample, iter_samples
    from dvc_bucket.read.table import Table
    from dvc_bucket.transfer.single import download, file_sha256, stored_sha256, upload, usage

__all__ = [
    "BucketError",
    "Project",
    "Sample",
    "Settings",
    "Table",
    "download",
    "dvc_hash",
    "file_sha256",
    "iter_samples",
    "kernel_variables",
    "open_dataset",
    "open_file",
    "pack",
    "pin_kernels",
    "stage",
    "stored_sha256",
    "upload",
    "usage",
]

#: All is imported when it is first asked for: pyarrow takes longer than most commands, and git-lfs
#: starts eight processes of ours to use one.
_LATER = {
    "BucketError": "dvc_bucket.base.errors",
    "Project": "dvc_bucket.base.paths",
    "Sample": "dvc_bucket.read.samples",
    "Settings": "dvc_bucket.connection.settings",
    "Table": "dvc_bucket.read.table",
    "download": "dvc_bucket.transfer.single",
    "dvc_hash": "dvc_bucket.dvc.hashes",
    "file_sha256": "dvc_bucket.transfer.single",
    "kernel_variables": "dvc_bucket.base.kernels",
    "pin_kernels": "dvc_bucket.base.kernels",
    "iter_samples": "dvc_bucket.read.samples",
    "open_dataset": "dvc_bucket.read.dataset",
    "open_file": "dvc_bucket.read.dataset",
    "pack": "dvc_bucket.read.packing",
    "stage": "dvc_bucket.read.copying",
    "stored_sha256": "dvc_bucket.transfer.single",
    "upload": "dvc_bucket.transfer.single",
    "usage": "dvc_bucket.transfer.single",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATER[name]), name)
