"""Rebuild a commit from its inputs in a clean clone, and compare every hash."""

from dvc_bucket.jobs.check.findings import CheckReport
from dvc_bucket.jobs.check.rebuild import CheckOptions, check

__all__ = ["CheckOptions", "CheckReport", "check"]
