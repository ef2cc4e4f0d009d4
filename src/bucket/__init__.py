"""The object store made easy: settings, an embedded store, verified transfers, DVC with words."""

from typing import TYPE_CHECKING

from bucket.lazy import lazy_names

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
    from bucket.transfer import count_objects, download, file_sha256, stored_sha256, upload
else:
    # git-lfs starts eight processes of ours to use one, so none loads what it does not use.
    __getattr__ = lazy_names(
        __name__,
        {
            "BucketError": "bucket.errors",
            "Project": "bucket.paths",
            "Sample": "bucket.samples",
            "Settings": "bucket.settings",
            "Table": "bucket.table",
            "copy_to": "bucket.copying",
            "count_objects": "bucket.transfer",
            "download": "bucket.transfer",
            "dvc_hash": "bucket.dvc_hashes",
            "file_sha256": "bucket.transfer",
            "iter_samples": "bucket.samples",
            "kernel_variables": "bucket.kernels",
            "open_dataset": "bucket.dataset",
            "open_file": "bucket.dataset",
            "pack": "bucket.packing",
            "pin_kernels": "bucket.kernels",
            "stored_sha256": "bucket.transfer",
            "upload": "bucket.transfer",
        },
    )

__all__ = [
    "BucketError",
    "Project",
    "Sample",
    "Settings",
    "Table",
    "copy_to",
    "count_objects",
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
]
