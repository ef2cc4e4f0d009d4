"""The object store made easy: settings, an embedded store, verified transfers, DVC with words."""

from typing import TYPE_CHECKING

from dvc_bucket.base.lazy import lazy_names

if TYPE_CHECKING:
    from dvc_bucket.base.errors import BucketError
    from dvc_bucket.base.kernels import kernel_variables, pin_kernels
    from dvc_bucket.base.paths import Project
    from dvc_bucket.connection.settings import Settings
    from dvc_bucket.dvc.hashes import dvc_hash
    from dvc_bucket.read.copying import copy_to
    from dvc_bucket.read.dataset import open_dataset, open_file
    from dvc_bucket.read.packing import pack
    from dvc_bucket.read.samples import Sample, iter_samples
    from dvc_bucket.read.table import Table
    from dvc_bucket.transfer.single import (
        count_objects,
        download,
        file_sha256,
        stored_sha256,
        upload,
    )
else:
    # git-lfs starts eight processes of ours to use one, so none loads what it does not use.
    __getattr__ = lazy_names(
        __name__,
        {
            "BucketError": "dvc_bucket.base.errors",
            "Project": "dvc_bucket.base.paths",
            "Sample": "dvc_bucket.read.samples",
            "Settings": "dvc_bucket.connection.settings",
            "Table": "dvc_bucket.read.table",
            "copy_to": "dvc_bucket.read.copying",
            "count_objects": "dvc_bucket.transfer.single",
            "download": "dvc_bucket.transfer.single",
            "dvc_hash": "dvc_bucket.dvc.hashes",
            "file_sha256": "dvc_bucket.transfer.single",
            "iter_samples": "dvc_bucket.read.samples",
            "kernel_variables": "dvc_bucket.base.kernels",
            "open_dataset": "dvc_bucket.read.dataset",
            "open_file": "dvc_bucket.read.dataset",
            "pack": "dvc_bucket.read.packing",
            "pin_kernels": "dvc_bucket.base.kernels",
            "stored_sha256": "dvc_bucket.transfer.single",
            "upload": "dvc_bucket.transfer.single",
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
