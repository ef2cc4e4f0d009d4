"""The failures of the public functions: `except BucketError` catches all of them.

docs/api.md lists every class of the toolkit.
"""

from dvc_bucket.base.errors import (
    BucketError,
    ChecksumError,
    DiskError,
    FormatError,
    LockError,
    MissingExtraError,
    MissingObjectError,
    NotPushedError,
    NotTrackedError,
    OutputError,
    PackError,
    ProjectError,
    ResumeError,
    RevisionError,
    ServerError,
    SettingsError,
    SpaceError,
    StageError,
    StrangerError,
    TransferError,
    UnsafePathError,
)
from dvc_bucket.transfer.errors import (
    MissingBucketError,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
    WrongContentError,
)

__all__ = [
    "BucketError",
    "ChecksumError",
    "DiskError",
    "FormatError",
    "LockError",
    "MissingBucketError",
    "MissingExtraError",
    "MissingObjectError",
    "NotPushedError",
    "NotTrackedError",
    "OutputError",
    "PackError",
    "ProjectError",
    "ResumeError",
    "RevisionError",
    "ServerError",
    "SettingsError",
    "SpaceError",
    "StageError",
    "StoreError",
    "StoreRefusedError",
    "StoreUnavailableError",
    "StrangerError",
    "TransferError",
    "UnsafePathError",
    "WrongContentError",
]
