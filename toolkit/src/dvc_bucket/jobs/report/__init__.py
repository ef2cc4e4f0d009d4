"""What a change did to stages, metrics, plots and data: a report for its reviewers."""

from dvc_bucket.jobs.report.comparison import Changes, compare
from dvc_bucket.jobs.report.page import MARKER, render

__all__ = ["MARKER", "Changes", "compare", "render"]
