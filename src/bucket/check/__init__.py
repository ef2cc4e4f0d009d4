"""Rebuild a commit from its inputs in a clean clone, and compare every hash."""

from bucket.check.findings import Report
from bucket.check.run import Question, check
from bucket.errors import CheckError, RevisionError, StageNameError

__all__ = ["CheckError", "Question", "Report", "RevisionError", "StageNameError", "check"]
