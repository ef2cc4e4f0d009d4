"""Rebuild a commit from its inputs in a clean clone, and compare every hash."""

from dvc_bucket.base.errors import CheckError, RevisionError, StageNameError
from dvc_bucket.jobs.check.findings import CheckReport
from dvc_bucket.jobs.check.rebuild import CheckOptions, check

__all__ = [
    "CheckError",
    "CheckOptions",
    "CheckReport",
    "RevisionError",
    "StageNameError",
    "check",
]
