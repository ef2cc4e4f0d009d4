"""What a change did to stages, metrics, plots and data: a report for its reviewers."""

from dvc_bucket.jobs.report.report import MARKER, text
from dvc_bucket.jobs.report.run import Changes, Question, compare

__all__ = ["MARKER", "Changes", "Question", "compare", "text"]
