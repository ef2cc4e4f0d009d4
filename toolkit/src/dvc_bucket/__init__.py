"""Settings, an embedded store, verified transfers and versioned reading for DVC."""

from typing import TYPE_CHECKING

from dvc_bucket.base.lazy import lazy_names

if TYPE_CHECKING:
    from dvc_bucket.base.errors import BucketError as BucketError
    from dvc_bucket.base.kernels import kernel_variables as kernel_variables
    from dvc_bucket.base.kernels import pin_kernels as pin_kernels
    from dvc_bucket.base.paths import Project as Project
    from dvc_bucket.connection.settings import Settings as Settings
    from dvc_bucket.dvc.hashes import dvc_hash as dvc_hash
    from dvc_bucket.read.copying import copy_to as copy_to
    from dvc_bucket.read.dataset import open_dataset as open_dataset
    from dvc_bucket.read.dataset import open_file as open_file
    from dvc_bucket.read.filesystem import filesystem as filesystem
    from dvc_bucket.read.packing import pack as pack
    from dvc_bucket.read.samples import iter_samples as iter_samples
    from dvc_bucket.read.table import Table as Table
    from dvc_bucket.read.units import Sample as Sample
    from dvc_bucket.transfer.single import count_objects as count_objects
    from dvc_bucket.transfer.single import download as download
    from dvc_bucket.transfer.single import file_sha256 as file_sha256
    from dvc_bucket.transfer.single import stored_sha256 as stored_sha256
    from dvc_bucket.transfer.single import upload as upload
else:
    # git-lfs starts eight processes of ours to use one, so none loads what it does not use.
    __getattr__ = lazy_names(__name__)
