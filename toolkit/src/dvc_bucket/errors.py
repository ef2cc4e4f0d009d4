"""The failures of the public functions: `except BucketError` catches all of them.

docs/api.md lists every class of the toolkit.
"""

from dvc_bucket.base.errors import BucketError as BucketError
from dvc_bucket.base.errors import ChecksumError as ChecksumError
from dvc_bucket.base.errors import DiskError as DiskError
from dvc_bucket.base.errors import FormatError as FormatError
from dvc_bucket.base.errors import LockError as LockError
from dvc_bucket.base.errors import MissingExtraError as MissingExtraError
from dvc_bucket.base.errors import MissingObjectError as MissingObjectError
from dvc_bucket.base.errors import NotPushedError as NotPushedError
from dvc_bucket.base.errors import NotTrackedError as NotTrackedError
from dvc_bucket.base.errors import OutputError as OutputError
from dvc_bucket.base.errors import PackError as PackError
from dvc_bucket.base.errors import ProjectError as ProjectError
from dvc_bucket.base.errors import ResumeError as ResumeError
from dvc_bucket.base.errors import RevisionError as RevisionError
from dvc_bucket.base.errors import ServerError as ServerError
from dvc_bucket.base.errors import SettingsError as SettingsError
from dvc_bucket.base.errors import SpaceError as SpaceError
from dvc_bucket.base.errors import StageError as StageError
from dvc_bucket.base.errors import StrangerError as StrangerError
from dvc_bucket.base.errors import TransferError as TransferError
from dvc_bucket.base.errors import UnsafePathError as UnsafePathError
from dvc_bucket.transfer.errors import MissingBucketError as MissingBucketError
from dvc_bucket.transfer.errors import StoreError as StoreError
from dvc_bucket.transfer.errors import StoreRefusedError as StoreRefusedError
from dvc_bucket.transfer.errors import StoreUnavailableError as StoreUnavailableError
from dvc_bucket.transfer.errors import WrongContentError as WrongContentError
