"""Rebuild a commit from its inputs in a clean clone, and compare every hash."""

from typing import TYPE_CHECKING

from dvc_bucket.base.lazy import lazy_names

if TYPE_CHECKING:
    from dvc_bucket.base.errors import CheckError, RevisionError, StageNameError
    from dvc_bucket.jobs.check.findings import Report
    from dvc_bucket.jobs.check.run import Question, check

__getattr__ = lazy_names(
    __name__,
    {
        "CheckError": "dvc_bucket.base.errors",
        "RevisionError": "dvc_bucket.base.errors",
        "StageNameError": "dvc_bucket.base.errors",
        "Question": "dvc_bucket.jobs.check.run",
        "check": "dvc_bucket.jobs.check.run",
        "Report": "dvc_bucket.jobs.check.findings",
    },
)

__all__ = ["CheckError", "Question", "Report", "RevisionError", "StageNameError", "check"]
