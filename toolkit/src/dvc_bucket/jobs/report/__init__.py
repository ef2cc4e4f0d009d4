"""What a change did to stages, metrics, plots and data: a report for its reviewers."""

from typing import TYPE_CHECKING

from dvc_bucket.base.lazy import lazy_names

if TYPE_CHECKING:
    from dvc_bucket.jobs.report.report import MARKER, text
    from dvc_bucket.jobs.report.run import Changes, Question, compare

__getattr__ = lazy_names(
    __name__,
    {
        "MARKER": "dvc_bucket.jobs.report.report",
        "text": "dvc_bucket.jobs.report.report",
        "Changes": "dvc_bucket.jobs.report.run",
        "Question": "dvc_bucket.jobs.report.run",
        "compare": "dvc_bucket.jobs.report.run",
    },
)

__all__ = ["MARKER", "Changes", "Question", "compare", "text"]
