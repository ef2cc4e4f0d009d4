"""Rebuild a commit from its inputs in a clean clone, and compare every hash."""

from dvc_bucket.base.errors import CheckError, RevisionError, StageNameError
from dvc_bucket.jobs.check.findings import Report
from dvc_bucket.jobs.check.run import Question, check

__all__ = ["CheckError", "Question", "Report", "RevisionError", "StageNameError", "check"]
